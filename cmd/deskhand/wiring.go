package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/policy"
	"github.com/deskhand/deskhand/reconciler"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/deskhand/deskhand/reconciler/metrics"
	"github.com/deskhand/deskhand/reconciler/notify"
)

// station is the daemon taken apart: the parts that hold state, and one
// reconciler for each tenant. It is the only place where the parts meet.
type station struct {
	config    configs.Config
	log       zerolog.Logger
	source    *gitsource.Repository
	ledger    *ledger.Ledger
	metrics   *metrics.Metrics
	tenants   []*tenantStation
	notifiers []*notify.Notifier
	closers   []func() error
}

// tenantStation is one tenant's part of a station.
type tenantStation struct {
	config     configs.Tenant
	reconciler *reconciler.Reconciler
	auditor    *ledger.Auditor
	branch     *gitsource.AuditBranch
}

// openStation opens everything that the configuration names. It holds the data
// directory until it is closed.
func openStation(ctx context.Context, config configs.Config, log zerolog.Logger) (_ *station, err error) {
	s := &station{config: config, log: log, metrics: metrics.New(buildVersion())}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make dataDir: %w", err)
	}
	s.ledger, err = ledger.Open(config.DataDir, ledger.Options{Actor: actor(), Logger: log})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.ledger.Close)
	s.source, err = openSource(ctx, config, filepath.Join(config.DataDir, "source.git"), s.metrics.Fetched, log)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.source.Close)
	for _, tenant := range config.Tenants {
		opened, err := s.openTenant(ctx, tenant)
		if err != nil {
			return nil, fmt.Errorf("tenant %s: %w", tenant.Name, err)
		}
		s.tenants = append(s.tenants, opened)
	}
	for _, sink := range config.Notify {
		notifier, err := s.openSink(sink)
		if err != nil {
			return nil, fmt.Errorf("notify %s: %w", sink.Name, err)
		}
		s.notifiers = append(s.notifiers, notifier)
	}
	return s, nil
}

func (s *station) openTenant(ctx context.Context, config configs.Tenant) (*tenantStation, error) {
	reviewer, err := newReviewer()
	if err != nil {
		return nil, err
	}
	branch, err := openAuditBranch(ctx, s.config, config.Name, filepath.Join(s.config.DataDir, "audit"), s.log)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, branch.Close)
	opened := &tenantStation{config: config, branch: branch}
	opened.auditor = ledger.NewAuditor(s.ledger, config.Name, branch, s.log)
	opened.auditor.Moved = func(error) { opened.reconciler.Forget() } // what was agreed may have moved with it
	if err := restore(ctx, s.ledger, opened.auditor, config.Name); err != nil {
		return nil, err
	}
	client, err := newClient(config, s.log, s.metrics, s.noticePlatform(config.Name))
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error { client.Close(); return nil })
	opened.reconciler = reconciler.New(config.Name, rulesOf(config), reconciler.Parts{
		Source:   meteredSource{config.Name, s.source.Tenant(config.Name, sourcePath(s.config, config)), s.metrics},
		Reviewer: meteredReviewer{config.Name, reviewer, s.metrics},
		Platform: client,
		Memory:   s.ledger,
		Journal:  s.ledger,
		Archive:  opened.auditor,
		Meter:    s.metrics,
		Logger:   s.log,
	})
	return opened, nil
}

// follow runs what follows the journal, the audit branches and the webhooks,
// until the returned function is called, which waits for them.
func (s *station) follow(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var followers sync.WaitGroup
	start := func(name string, follow func(context.Context) error) {
		followers.Go(func() {
			if err := follow(ctx); err != nil && !errors.Is(err, context.Canceled) {
				s.log.Warn().Err(err).Str("follower", name).Msg("stopped; the journal keeps what is left")
			}
		})
	}
	for _, tenant := range s.tenants {
		start("audit "+string(tenant.config.Name), tenant.auditor.Run)
	}
	for i, notifier := range s.notifiers {
		start("notify "+s.config.Notify[i].Name, notifier.Run)
	}
	return func() {
		cancel()
		followers.Wait()
	}
}

func (s *station) close() error {
	var failed error
	for i := len(s.closers) - 1; i >= 0; i-- {
		failed = errors.Join(failed, s.closers[i]())
	}
	s.closers = nil
	return failed
}

// restore fills an empty journal from the audit branch, so that a daemon with an
// empty disk goes on where the last one stopped.
func restore(ctx context.Context, journal *ledger.Ledger, auditor *ledger.Auditor, tenant deskhand.Tenant) error {
	known, err := journal.Managed(ctx, tenant)
	if err != nil || len(known) > 0 {
		return err
	}
	managed, head, err := auditor.Load(ctx)
	if err != nil {
		return fmt.Errorf("read the audit branch: %w", err)
	}
	if len(managed) == 0 && head == "" {
		return nil
	}
	if err := journal.Restore(ctx, tenant, managed, head); !errors.Is(err, ledger.ErrNotEmpty) {
		return err
	}
	return nil // it has records of its own, though no desktop yet
}

// noticePlatform journals that CXone as a whole is in trouble, or well again.
func (s *station) noticePlatform(tenant deskhand.Tenant) func(deskhand.EventType, cxone.Trouble) {
	return func(event deskhand.EventType, trouble cxone.Trouble) {
		if event == "" {
			return // a warning, which the client has logged
		}
		record := deskhand.Record{
			Time: time.Now().UTC(), Tenant: tenant, Event: event,
			Request: deskhand.Request{ID: strings.Join(trouble.RequestIDs, " "), Statuses: []int{}}, Changes: []deskhand.Edit{},
			Policy:  deskhand.PolicyResult{Findings: []deskhand.Finding{}, ChecksPassed: []string{}},
			Outcome: deskhand.OutcomeReported, Why: trouble.Message,
		}
		if err := s.ledger.Settle(context.Background(), tenant, []deskhand.Settlement{{Record: &record}}); err != nil {
			s.log.Error().Err(err).Str("event", string(event)).Msg("could not be journalled")
		}
	}
}

func (s *station) openSink(sink configs.Sink) (*notify.Notifier, error) {
	return notify.New(notify.Sink{
		Name: sink.Name, URL: sink.URL, Secret: sink.Secret.Resolve, Format: sink.Format,
		Events: sink.Events, AllowPrivate: sink.AllowPrivate,
	}, s.ledger, s.ledger, notify.Options{
		Start: s.ledger.Tail(), Version: buildVersion(), Meter: s.metrics, Logger: s.log,
	})
}

func openSource(ctx context.Context, config configs.Config, dir string, fetched func(error), log zerolog.Logger) (*gitsource.Repository, error) {
	return gitsource.Open(ctx, gitsource.Options{
		URL: config.Source.URL, Branch: config.Source.Branch, Dir: dir, Fetched: fetched, Logger: log,
		Auth: gitAuth(config.Source.Auth), CAFile: config.Source.CAFile,
	})
}

func openAuditBranch(ctx context.Context, config configs.Config, tenant deskhand.Tenant, dir string, log zerolog.Logger) (*gitsource.AuditBranch, error) {
	url, auth := config.Audit.URL, config.Audit.Auth
	if url == "" {
		url, auth = config.Source.URL, config.Source.Auth
	}
	host := actor().Host
	return gitsource.OpenAudit(ctx, gitsource.AuditOptions{
		URL: url, Branch: config.Audit.TenantBranch(tenant), Dir: filepath.Join(dir, string(tenant)+".git"), Logger: log,
		Auth: gitAuth(auth), CAFile: config.Source.CAFile, Name: "deskhand", Email: "deskhand@" + host,
	})
}

func gitAuth(auth configs.Auth) gitsource.Auth {
	if auth.Password.IsZero() {
		return gitsource.Auth{Username: auth.Username}
	}
	return gitsource.Auth{Username: auth.Username, Password: auth.Password.Resolve}
}

func newReviewer() (*policy.Reviewer, error) {
	return policy.New(policy.Options{
		DesktopSchema: configs.DesktopSchema, PolicySchema: configs.PolicySchema, Defaults: configs.PolicyDefaults,
	})
}

func newClient(config configs.Tenant, log zerolog.Logger, meter *metrics.Metrics, notice func(deskhand.EventType, cxone.Trouble)) (*cxone.Client, error) {
	baseURL := config.BaseURL
	if baseURL == "" {
		baseURL = "https://" + config.Subdomain + ".api.nicecxone.com"
	}
	return cxone.New(cxone.Options{
		Tenant: config.Name, BaseURL: baseURL, TokenURL: config.TokenURL, CAFile: config.CAFile,
		Credentials: credentialsOf(config),
		Grant:       config.Grant, AuthStyle: config.AuthStyle, TokenParams: config.TokenParams, Scopes: config.Scopes,
		ResourcePath: config.ResourcePath, ServerManaged: config.ServerManaged,
		ConflictStatuses: config.ConflictStatuses, Concurrency: config.ConcurrencyMode,
		RequestsPerSecond: config.RequestsPerSecond, MaxAttempts: config.MaxAttempts, Timeout: config.Timeout,
		UserAgent: "deskhand/" + buildVersion(), Logger: log, Notice: notice,
		Observe: func(call cxone.Call) { meter.Requested(config.Name, call.Method, call.Status, call.Duration) },
	})
}

func credentialsOf(config configs.Tenant) func(context.Context) (cxone.Credentials, error) {
	return func(ctx context.Context) (cxone.Credentials, error) {
		var credentials cxone.Credentials
		for _, part := range []struct {
			secret configs.Secret
			into   *string
		}{
			{config.ClientID, &credentials.ClientID},
			{config.ClientSecret, &credentials.ClientSecret},
			{config.AccessKey.ID, &credentials.AccessKeyID},
			{config.AccessKey.Secret, &credentials.AccessKeySecret},
		} {
			value, err := part.secret.Resolve(ctx)
			if err != nil {
				return cxone.Credentials{}, fmt.Errorf("tenant %s: %w", config.Name, err)
			}
			*part.into = value
		}
		return credentials, nil
	}
}

func rulesOf(config configs.Tenant) reconciler.Rules {
	return reconciler.Rules{
		Drift:    reconciler.DriftPolicy(config.Drift.Policy),
		Conflict: reconciler.ConflictPolicy(config.Conflict),
		Prune: reconciler.Prune{
			Policy: reconciler.PrunePolicy(config.Prune.Policy), Count: config.Prune.Max.Count, Percent: config.Prune.Max.Percent,
		},
		Adopt:       config.Adopt,
		OnInvalid:   reconciler.InvalidPolicy(config.OnInvalid),
		Concurrency: config.Concurrency,
		MaxAttempts: config.MaxAttempts,
	}
}

// sourcePath is the tenant's tree within the repository.
func sourcePath(config configs.Config, tenant configs.Tenant) string {
	return filepath.ToSlash(filepath.Join(config.Source.Path, tenant.Path))
}

func actor() deskhand.Actor {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return deskhand.Actor{Version: buildVersion(), Host: host}
}

// newLogger logs as the configuration says; console is for people.
func newLogger(config configs.Log, env environment) zerolog.Logger {
	level, err := zerolog.ParseLevel(config.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if config.Format == configs.LogConsole {
		console := zerolog.ConsoleWriter{Out: env.stderr, NoColor: !env.hasColor(env.stderr), TimeFormat: time.TimeOnly}
		return zerolog.New(console).Level(level).With().Timestamp().Logger()
	}
	return zerolog.New(env.stderr).Level(level).With().Timestamp().Logger()
}
