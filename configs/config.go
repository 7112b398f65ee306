// Package configs holds the daemon's configuration, deskhand.yaml, and what is
// built into the binary: an example of that file and a sample repository.
package configs

import (
	"time"

	"github.com/deskhand/deskhand"
)

// Config is the whole of deskhand.yaml. Start from Default or Load: the zero
// Config is not valid.
type Config struct {
	DataDir string   `yaml:"dataDir"`
	Source  Source   `yaml:"source"`
	Tenants []Tenant `yaml:"tenants"`
	Audit   Audit    `yaml:"audit"`
	Notify  []Sink   `yaml:"notify"`
	HTTP    HTTP     `yaml:"http"`
	Log     Log      `yaml:"log"`

	places places // where the file says each setting
}

// Source is the git repository that desktops are read from.
type Source struct {
	URL      string        `yaml:"url"` // https, or a local path
	Branch   string        `yaml:"branch"`
	Path     string        `yaml:"path"`
	Interval time.Duration `yaml:"interval"`
	Auth     Auth          `yaml:"auth"`
	CAFile   string        `yaml:"caFile"`
	Verify   Verify        `yaml:"verify"`
}

// Auth is how to sign in to a git server; the zero Auth is not to.
type Auth struct {
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
}

// Verify is which commits must carry a signature.
type Verify struct {
	Mode string `yaml:"mode"` // VerifyNone
}

// Tenant is one CXone tenant and how to treat it.
type Tenant struct {
	Name deskhand.Tenant `yaml:"name"`

	// Where it is: a subdomain of nicecxone.com, or a base URL.
	Subdomain string `yaml:"subdomain"`
	BaseURL   string `yaml:"baseURL"`
	TokenURL  string `yaml:"tokenURL"` // "" for the default below the base URL
	CAFile    string `yaml:"caFile"`

	// How to sign in.
	Grant        string            `yaml:"grant"`
	ClientID     Secret            `yaml:"clientID"`
	ClientSecret Secret            `yaml:"clientSecret"`
	AccessKey    AccessKey         `yaml:"accessKey"`
	AuthStyle    string            `yaml:"authStyle"`
	Scopes       []string          `yaml:"scopes"`
	TokenParams  map[string]string `yaml:"tokenParams"`

	// What its API is like.
	ResourcePath     string   `yaml:"resourcePath"`
	ServerManaged    []string `yaml:"serverManaged"`
	ConflictStatuses []int    `yaml:"conflictStatuses"`
	ConcurrencyMode  string   `yaml:"concurrencyMode"`

	// How hard to press it.
	Concurrency       int           `yaml:"concurrency"`
	RequestsPerSecond float64       `yaml:"requestsPerSecond"` // 0 for no ceiling
	MaxAttempts       int           `yaml:"maxAttempts"`
	Timeout           time.Duration `yaml:"timeout"` // of one request

	// What to do about it.
	Path      string `yaml:"path"` // below Source.Path
	Adopt     bool   `yaml:"adopt"`
	Drift     Drift  `yaml:"drift"`
	Conflict  string `yaml:"conflict"`
	Prune     Prune  `yaml:"prune"`
	OnInvalid string `yaml:"onInvalid"`
}

// AccessKey is the user's half of the password grant.
type AccessKey struct {
	ID     Secret `yaml:"id"`
	Secret Secret `yaml:"secret"`
}

// Drift is what to do about a value that was changed in CXone.
type Drift struct {
	Policy   string        `yaml:"policy"`
	Interval time.Duration `yaml:"interval"` // between two looks
}

// Prune is what to do about a desktop that git no longer defines.
type Prune struct {
	Policy string `yaml:"policy"`
	Max    Limit  `yaml:"max"` // deletions in one commit
}

// Audit is the branch that keeps the records.
type Audit struct {
	URL    string `yaml:"url"` // "" for the source repository
	Branch string `yaml:"branch"`
	Auth   Auth   `yaml:"auth"` // used only with a URL of its own
}

// TenantBranch is the branch that keeps one tenant's records.
func (a Audit) TenantBranch(tenant deskhand.Tenant) string {
	return a.Branch + "/" + string(tenant)
}

// Sink is a webhook that events are sent to.
type Sink struct {
	Name         string   `yaml:"name"`
	URL          string   `yaml:"url"`
	Secret       Secret   `yaml:"secret"` // none for unsigned events
	Format       string   `yaml:"format"`
	Events       []string `yaml:"events"` // patterns of path.Match
	AllowPrivate bool     `yaml:"allowPrivate"`
}

// HTTP is the daemon's own HTTP face.
type HTTP struct {
	Listen string `yaml:"listen"` // host:port
}

// Log is how the daemon talks.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}
