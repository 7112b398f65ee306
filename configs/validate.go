package configs

import (
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// minInterval keeps a slip of the unit (ms for m) from becoming a busy loop.
const minInterval = 100 * time.Millisecond

// Validate reports all that is wrong with the configuration at once, as an
// *InvalidError. It neither reads secrets nor touches the network.
func (c Config) Validate() error {
	v := &validator{places: c.places}
	v.required("dataDir", c.DataDir, "name a folder that the daemon may write to")
	v.source(c.Source)
	v.tenants(c.Tenants)
	v.audit(c)
	v.notify(c.Notify)
	v.listen("http.listen", c.HTTP.Listen)
	v.choice("log.level", c.Log.Level)
	v.choice("log.format", c.Log.Format)
	return invalid(v.problems)
}

type validator struct {
	places   places
	problems []Problem
}

func (v *validator) add(path, message, hint string) {
	v.problems = append(v.problems, Problem{
		Position: v.places.find(path),
		Path:     path,
		Message:  message,
		Hint:     hint,
	})
}

// required reports whether value is set.
func (v *validator) required(path, value, hint string) bool {
	if value == "" {
		v.add(path, "it is required", hint)
	}
	return value != ""
}

func (v *validator) choice(path, value string) {
	row, _ := findSetting(path)
	if !slices.Contains(row.values, value) {
		v.add(path, fmt.Sprintf("unknown value %q", value), hintForValue(value, row.values))
	}
}

func hintForValue(value string, known []string) string {
	hint := "it can be " + strings.Join(known, ", ")
	if meant, found := nearest(value, known); found {
		return fmt.Sprintf("did you mean %q? %s", meant, hint)
	}
	return hint
}

func (v *validator) between(path string, value, least, most int) {
	if value < least || value > most {
		v.add(path, fmt.Sprintf("%d is out of range", value), fmt.Sprintf("write a number from %d to %d", least, most))
	}
}

func (v *validator) interval(path string, value time.Duration) {
	if value < minInterval {
		v.add(path, fmt.Sprintf("%s is too short", value), fmt.Sprintf("write %s or longer", minInterval))
	}
}

// folder checks a path inside the repository.
func (v *validator) folder(at, folder string) {
	clean := path.Clean(folder)
	if folder == "" || strings.Contains(folder, `\`) || path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		v.add(at, "it is not a folder of the repository", "write it from the root of the repository with slashes, or . for the root itself")
	}
}

func (v *validator) source(s Source) {
	if v.required("source.url", s.URL, "write the https URL or the local path of the git repository") {
		v.repository("source.url", s.URL)
	}
	v.branch("source.branch", s.Branch)
	v.folder("source.path", s.Path)
	v.interval("source.interval", s.Interval)
	v.auth("source", s.URL, s.Auth)
	if s.Verify.Mode == "head" || s.Verify.Mode == "every" {
		v.add("source.verify.mode", s.Verify.Mode+" is not available in this version", "write none, and protect the branch at the forge")
	} else {
		v.choice("source.verify.mode", s.Verify.Mode)
	}
}

func (v *validator) auth(section, address string, auth Auth) {
	switch {
	case auth.Username == "" && auth.Password.IsZero():
	case address == "":
		v.add(section+".auth", "it has no "+section+".url to sign in to", "set "+section+".url, or remove it")
	case localRepository(address):
		v.add(section+".auth", "a local repository has no login", "remove it")
	case auth.Password.IsZero():
		v.add(section+".auth.password", "it is required beside a username", "write {env: NAME} or {file: PATH}")
	case auth.Username == "":
		v.add(section+".auth.username", "it is required beside a password", "forges that take a token accept any name, such as git")
	}
}

// branch checks a branch name by what git check-ref-format refuses.
func (v *validator) branch(at, name string) {
	wrong := name == "" || name == "@" || strings.ContainsAny(name, " ~^:?*[\\\x7f") ||
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.HasPrefix(name, "-")
	for part := range strings.SplitSeq(name, "/") {
		wrong = wrong || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	switch {
	case wrong:
		v.add(at, "it is not the name of a branch", "write it as git prints it, such as main")
	case strings.HasPrefix(name, "refs/"):
		v.add(at, "it is a full reference", "write the branch's short name, without refs/heads/")
	}
}

func (v *validator) audit(c Config) {
	if c.Audit.URL != "" {
		v.repository("audit.url", c.Audit.URL)
	}
	v.branch("audit.branch", c.Audit.Branch)
	v.auth("audit", c.Audit.URL, c.Audit.Auth)
	if c.Audit.URL != "" && c.Audit.URL != c.Source.URL {
		return
	}
	// git keeps branches like files: where deskhand/audit is one, there can be
	// no deskhand/audit/acme.
	for _, tenant := range c.Tenants {
		branch := c.Audit.TenantBranch(tenant.Name)
		if branch == c.Source.Branch || strings.HasPrefix(branch, c.Source.Branch+"/") || strings.HasPrefix(c.Source.Branch, branch+"/") {
			v.add("audit.branch", fmt.Sprintf("branch %s cannot stand beside source.branch %s", branch, c.Source.Branch),
				"give the audit branch another first word")
			return
		}
	}
}

func (v *validator) listen(at, address string) {
	_, portText, err := net.SplitHostPort(address)
	port, portErr := strconv.Atoi(portText)
	if err != nil || portErr != nil || port < 0 || port > 65535 {
		v.add(at, fmt.Sprintf("%q is not an address", address), "write host:port, such as 127.0.0.1:8080")
	}
}
