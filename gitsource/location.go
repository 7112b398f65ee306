package gitsource

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// location is where a repository is: a git directory on this machine, or a URL.
type location struct {
	gitDir string   // the common git directory, absolute; "" for a remote repository
	url    *url.URL // nil for a local repository
	text   string   // for people; without credentials
}

func (l location) local() bool { return l.url == nil }

func (l location) String() string { return l.text }

// locate reads what people write for a repository.
func locate(text string) (location, error) {
	scheme, rest, hasScheme := strings.Cut(text, "://")
	switch {
	case text == "":
		return location{}, errors.New("no git repository is set; give a local path or an https URL")
	case !hasScheme && !scpLike(text):
		return locateLocal(text)
	case scheme == "file":
		return locateLocal(rest)
	case scheme == "http" || scheme == "https":
		return locateRemote(text)
	case !hasScheme || scheme == "ssh" || scheme == "git+ssh":
		return location{}, errors.New("git over ssh is not available; use the repository's https URL with a username and a token, or a local path")
	default:
		return location{}, fmt.Errorf("git over %s is not available; use an https URL or a local path", scheme)
	}
}

// scpLike reports whether text is ssh's short form, host:path. A path that
// exists is a path, whatever it looks like.
func scpLike(text string) bool {
	host, _, found := strings.Cut(text, ":")
	if !found || strings.ContainsAny(host, `/\`) || filepath.VolumeName(text) != "" {
		return false
	}
	_, err := os.Stat(text)
	return err != nil
}

func locateRemote(text string) (location, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return location{}, errors.New("the git URL does not parse; write https://host/path without spaces") // err repeats the URL, password included
	}
	display := *parsed
	display.User = nil
	if _, hasPassword := parsed.User.Password(); hasPassword {
		return location{}, fmt.Errorf("the URL of %s holds a password; take it out and name it in the auth settings by environment variable or file", display.String())
	}
	if parsed.Hostname() == "" {
		return location{}, fmt.Errorf("the git URL %s names no host; write https://host/path", display.String())
	}
	if parsed.Scheme == "http" && !loopback(parsed.Hostname()) {
		return location{}, fmt.Errorf("%s is without TLS, which is only for this machine; use https", display.String())
	}
	return location{url: parsed, text: display.String()}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func locateLocal(path string) (location, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return location{}, fmt.Errorf("open the git repository %s: %w", path, err)
	}
	dir, err := findGitDir(absolute)
	if err != nil {
		return location{}, fmt.Errorf("open the git repository %s: %w", path, err)
	}
	return location{gitDir: dir, text: path}, nil
}

// findGitDir is the git directory that holds the objects and branches of the
// repository at path, for linked work trees the one they share.
// See gitrepository-layout(5).
func findGitDir(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", err
	}
	dotGit := filepath.Join(path, ".git")
	info, err := os.Stat(dotGit)
	switch {
	case err == nil && info.IsDir():
		return dotGit, nil
	case err == nil:
		target, err := readPointer(dotGit, "gitdir: ")
		if err != nil {
			return "", err
		}
		common := filepath.Join(target, "commondir")
		if _, err := os.Stat(common); err != nil {
			return target, nil // a submodule's, or one made with --separate-git-dir
		}
		return readPointer(common, "")
	case isGitDir(path):
		return path, nil
	default:
		return "", errors.New("this is no git repository; give the folder that holds .git, or make one with git init")
	}
}

func isGitDir(path string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			return false
		}
	}
	return true
}

// readPointer reads a file of one line that names a path, relative to the file.
func readPointer(file, prefix string) (string, error) {
	content, err := readSmall(file)
	if err != nil {
		return "", err
	}
	target, found := strings.CutPrefix(strings.TrimSpace(string(content)), prefix)
	if !found || target == "" {
		return "", fmt.Errorf("%s does not name a git directory", file)
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(file), target)
	}
	return target, nil
}
