package configs

import "time"

// The values that settings with a fixed choice can have.
const (
	VerifyNone = "none"

	GrantClientCredentials = "client_credentials"
	GrantPassword          = "password"

	AuthStyleHeader = "header"
	AuthStyleParams = "params"

	ConcurrencyETag        = "etag"
	ConcurrencyReadCompare = "read-compare-write"

	DriftReport = "report"
	DriftRevert = "revert"

	ConflictGit  = "git"
	ConflictHold = "hold"

	PruneReport = "report"
	PruneDelete = "delete"

	OnInvalidSkip = "skip"
	OnInvalidHold = "hold"

	FormatCloudEvents = "cloudevents"
	FormatPlain       = "plain"

	LogJSON    = "json"
	LogConsole = "console"
)

// Default is the configuration of a file that says nothing. It lacks what only
// the reader can know: a source and at least one tenant.
func Default() Config {
	return Config{
		DataDir: ".deskhand",
		Source: Source{
			Branch:   "main",
			Path:     "desktops",
			Interval: time.Minute,
			Verify:   Verify{Mode: VerifyNone},
		},
		Audit: Audit{Branch: "deskhand/audit"},
		HTTP:  HTTP{Listen: "127.0.0.1:8080"},
		Log:   Log{Level: "info", Format: LogJSON},
	}
}

// DefaultTenant is what a tenant is where the file does not say otherwise.
func DefaultTenant() Tenant {
	return Tenant{
		Grant:             GrantClientCredentials,
		AuthStyle:         AuthStyleHeader,
		Scopes:            []string{"desktop:config:write", "desktop:config:read", "users:read"},
		ResourcePath:      "/api/v2/desktop/configurations/{id}",
		ServerManaged:     []string{"id", "version", "updatedAt", "updatedBy", "metadata", "_links"},
		ConflictStatuses:  []int{409, 412, 428},
		ConcurrencyMode:   ConcurrencyETag,
		Concurrency:       8,
		RequestsPerSecond: 20,
		MaxAttempts:       5,
		Timeout:           30 * time.Second,
		Path:              ".",
		Adopt:             true,
		Drift:             Drift{Policy: DriftReport, Interval: 5 * time.Minute},
		Conflict:          ConflictGit,
		Prune:             Prune{Policy: PruneReport, Max: Limit{Percent: 10}},
		OnInvalid:         OnInvalidSkip,
	}
}

// DefaultSink is what a webhook is where the file does not say otherwise.
func DefaultSink() Sink {
	return Sink{Format: FormatCloudEvents, Events: []string{"*"}}
}
