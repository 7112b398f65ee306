package deskhand

import "time"

// Commit is a commit of the configuration repository.
type Commit struct {
	SHA       string    `json:"sha"` // 40 hexadecimal digits
	Ref       string    `json:"ref"` // the branch's short name, such as main
	Author    Person    `json:"author"`
	Committer Person    `json:"committer"`
	Time      time.Time `json:"time"` // the committer's
	Subject   string    `json:"subject"`
}

// Person is an author or committer as git records one.
type Person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// String prints the person as git does: Name <email>.
func (p Person) String() string {
	if p == (Person{}) {
		return ""
	}
	return p.Name + " <" + p.Email + ">"
}

// Revision prints the commit as main@sha1:<40 hex>, or "" for no commit.
func (c Commit) Revision() string {
	if c.SHA == "" {
		return ""
	}
	return c.Ref + "@sha1:" + c.SHA
}

// Short is the first seven digits of the SHA, for people.
func (c Commit) Short() string {
	if len(c.SHA) < 7 {
		return c.SHA
	}
	return c.SHA[:7]
}

// IsZero reports whether there is no commit.
func (c Commit) IsZero() bool { return c.SHA == "" }
