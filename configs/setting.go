package configs

import (
	"regexp"
	"slices"
)

// setting is what there is to know of one setting besides its type and default,
// which config.go and default.go have. docs/configuration.md is made of these.
type setting struct {
	path    string // indices left out: tenants[].drift.interval
	meaning string
	example string   // as YAML writes it
	values  []string // the only ones it can have, where it is a choice
	// notYet means that the key is known and refused.
	notYet bool
}

var indices = regexp.MustCompile(`\[\d+\]`)

// findSetting returns the row about the setting at path.
func findSetting(path string) (setting, bool) {
	path = indices.ReplaceAllString(path, "[]")
	rows := settings()
	i := slices.IndexFunc(rows, func(row setting) bool { return row.path == path })
	if i < 0 {
		return setting{}, false
	}
	return rows[i], true
}

func unavailable(path string) bool {
	row, known := findSetting(path)
	return known && row.notYet
}

// settings lists every setting, in the order of the file.
func settings() []setting {
	return slices.Concat(sourceSettings(), tenantSettings(), auditSettings(), notifySettings(), daemonSettings())
}

func sourceSettings() []setting {
	return []setting{
		{path: "dataDir", example: "/var/lib/deskhand",
			meaning: "Folder for the journal and the copy of the repository. One daemon at a time uses it."},
		{path: "source.url", example: "https://git.example.com/cc/desktops.git",
			meaning: "The git repository: an https URL, or a local path. Required."},
		{path: "source.branch", example: "main",
			meaning: "The branch whose commits go live."},
		{path: "source.path", example: "desktops",
			meaning: "The folder of the repository that holds the tiers."},
		{path: "source.interval", example: "60s",
			meaning: "Time between two looks at the remote branch. Each is one `ls-remote`. A local repository is watched besides."},
		{path: "source.auth.username", example: "bot",
			meaning: "User name for https. Forges that take a token accept any name."},
		{path: "source.auth.password", example: "{file: /run/secrets/git}",
			meaning: "Password or token for https."},
		{path: "source.auth.sshKey", notYet: true, meaning: "Private key for ssh."},
		{path: "source.auth.knownHosts", notYet: true, meaning: "Host keys for ssh."},
		{path: "source.caFile", example: "/etc/ssl/git-ca.pem",
			meaning: "Certificates to trust for https, in PEM, instead of the system's."},
		{path: "source.verify.mode", example: "none", values: []string{VerifyNone},
			meaning: "Which commits must carry a signature."},
		{path: "source.verify.allowedSigners", notYet: true, meaning: "Who may sign commits with ssh keys."},
		{path: "source.verify.gpgKeys", notYet: true, meaning: "Who may sign commits with OpenPGP keys."},
		{path: "source.webhook", notYet: true, meaning: "A forge's webhook instead of the interval."},
	}
}

func tenantSettings() []setting {
	return []setting{
		{path: "tenants[].name", example: "acme",
			meaning: "Name in plans, records and metrics, and of the audit branch. Lower-case letters, digits and hyphens. Required."},
		{path: "tenants[].subdomain", example: "acme",
			meaning: "The tenant is at `https://{subdomain}.api.nicecxone.com`. This or `baseURL` is required."},
		{path: "tenants[].baseURL", example: "https://cxone.acme.example",
			meaning: "The tenant's API, where it is elsewhere."},
		{path: "tenants[].tokenURL", example: "https://login.acme.example/oauth2/token",
			meaning: "Where tokens are issued. Default: `/oauth2/token` below the base URL."},
		{path: "tenants[].caFile", example: "/etc/ssl/acme-ca.pem",
			meaning: "Certificates to trust for this tenant, in PEM, instead of the system's."},
		{path: "tenants[].grant", example: "client_credentials", values: []string{GrantClientCredentials, GrantPassword},
			meaning: "The OAuth 2.0 grant. `password` signs in with `accessKey` as the user."},
		{path: "tenants[].clientID", example: "{env: CXONE_CLIENT_ID}",
			meaning: "OAuth 2.0 client id. Required."},
		{path: "tenants[].clientSecret", example: "{env: CXONE_CLIENT_SECRET}",
			meaning: "OAuth 2.0 client secret. Required."},
		{path: "tenants[].accessKey.id", example: "{env: CXONE_KEY_ID}",
			meaning: "Access key id, for the grant `password`."},
		{path: "tenants[].accessKey.secret", example: "{env: CXONE_KEY_SECRET}",
			meaning: "Access key secret, for the grant `password`."},
		{path: "tenants[].authStyle", example: "header", values: []string{AuthStyleHeader, AuthStyleParams},
			meaning: "How the client id and secret are sent: in the `Authorization` header or in the form."},
		{path: "tenants[].scopes", example: "[desktop:config:write, desktop:config:read, users:read]",
			meaning: "Scopes to ask for."},
		{path: "tenants[].tokenParams", example: "{audience: desktops}",
			meaning: "More parameters of the token request. Never a secret."},
		{path: "tenants[].resourcePath", example: "/api/v2/desktop/configurations/{id}",
			meaning: "Path of one configuration below the base URL."},
		{path: "tenants[].serverManaged", example: "[id, version, updatedAt]",
			meaning: "Fields that CXone sets by itself. They are never compared and never sent."},
		{path: "tenants[].conflictStatuses", example: "[409, 412, 428]",
			meaning: "HTTP statuses that mean: the configuration changed since it was read."},
		{path: "tenants[].concurrencyMode", example: "etag", values: []string{ConcurrencyETag, ConcurrencyReadCompare},
			meaning: "`etag` writes under `If-Match`. `read-compare-write` is for an API without ETags: it reads, compares and writes at once."},
		{path: "tenants[].concurrency", example: "8",
			meaning: "Requests at a time, 1 to 64."},
		{path: "tenants[].requestsPerSecond", example: "20",
			meaning: "Ceiling of the request rate. The rate adapts below it. 0 sets no ceiling."},
		{path: "tenants[].maxAttempts", example: "5",
			meaning: "Attempts of one operation, 1 to 100."},
		{path: "tenants[].timeout", example: "30s",
			meaning: "Time limit of one request."},
		{path: "tenants[].path", example: "acme",
			meaning: "Folder below `source.path`, where tenants have trees of their own."},
		{path: "tenants[].adopt", example: "false",
			meaning: "At the first contact with an existing configuration, take it over. `false` reports the differences and writes nothing."},
		{path: "tenants[].drift.policy", example: "revert", values: []string{DriftReport, DriftRevert},
			meaning: "What to do about a value that was changed in CXone: tell once, or set it back."},
		{path: "tenants[].drift.interval", example: "5m",
			meaning: "Time between two looks for drift."},
		{path: "tenants[].conflict", example: "hold", values: []string{ConflictGit, ConflictHold},
			meaning: "What to do where git and CXone changed the same field: git wins, or nothing is written."},
		{path: "tenants[].prune.policy", example: "delete", values: []string{PruneReport, PruneDelete},
			meaning: "What to do about a desktop that git no longer defines."},
		{path: "tenants[].prune.max", example: "10%",
			meaning: "The most deletions in one commit: a share of the managed desktops (at least 1), or a number."},
		{path: "tenants[].onInvalid", example: "hold", values: []string{OnInvalidSkip, OnInvalidHold},
			meaning: "Where a desktop of a commit is refused: `skip` it and go on with the others, or `hold` them all."},
	}
}

func auditSettings() []setting {
	return []setting{
		{path: "audit.url", example: "https://git.example.com/cc/audit.git",
			meaning: "The repository of the audit branches. Default: the source repository."},
		{path: "audit.branch", example: "deskhand/audit",
			meaning: "The audit branch of a tenant is this name, a slash and the tenant's name."},
		{path: "audit.auth.username", example: "bot",
			meaning: "User name for `audit.url`. Without that, `source.auth` is used."},
		{path: "audit.auth.password", example: "{env: AUDIT_TOKEN}",
			meaning: "Password or token for `audit.url`."},
		{path: "audit.signingKey", notYet: true, meaning: "Key that signs audit commits."},
	}
}

func notifySettings() []setting {
	return []setting{
		{path: "notify[].name", example: "itsm",
			meaning: "Name in logs and metrics, and of the sink's place in the journal. Required."},
		{path: "notify[].url", example: "https://itsm.example.com/hooks/cxone",
			meaning: "Where events are posted. Required."},
		{path: "notify[].secret", example: "{env: ITSM_SECRET}",
			meaning: "Key of the Standard Webhooks signature. Without it events are not signed."},
		{path: "notify[].format", example: "plain", values: []string{FormatCloudEvents, FormatPlain},
			meaning: "`cloudevents` sends CloudEvents 1.0, `plain` a short JSON object."},
		{path: "notify[].events", example: "[failed, drifted]",
			meaning: "Which events: patterns on the type, or on its last word."},
		{path: "notify[].allowPrivate", example: "true",
			meaning: "Lets the sink be on a loopback or private address."},
	}
}

func daemonSettings() []setting {
	return []setting{
		{path: "http.listen", example: "127.0.0.1:8080",
			meaning: "Address of the status page, health checks and metrics. It has no login: keep it on loopback or behind a proxy."},
		{path: "log.level", example: "debug", values: []string{"trace", "debug", "info", "warn", "error"},
			meaning: "The least grave messages to log."},
		{path: "log.format", example: "console", values: []string{LogJSON, LogConsole},
			meaning: "`json` for machines, `console` for people."},
	}
}
