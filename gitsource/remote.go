package gitsource

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/deskhand/deskhand"
)

// Auth is HTTP Basic authentication. A token goes where the password does.
type Auth struct {
	Username string // "" for the one in the URL, or where there is none git
	// Password is asked for before each operation, so that a renewed one is
	// taken up; nil for none.
	Password func(context.Context) (string, error)
}

// remote speaks git's smart HTTP protocol with one repository, through go-git's
// sessions. go-git's own Remote would list the refs once more for each fetch and
// push, and finds its HTTP client in a global variable.
type remote struct {
	place       location
	auth        Auth
	client      transport.Transport
	connections *http.Transport
}

func newRemote(place location, auth Auth, caFile string, timeout time.Duration) (*remote, error) {
	connections, err := newConnections(caFile)
	if err != nil {
		return nil, err
	}
	patient := patientTransport{next: connections, silence: cmp.Or(timeout, defaultSilence)}
	auth.Username = cmp.Or(auth.Username, place.url.User.Username(), "git")
	return &remote{
		place:       place,
		auth:        auth,
		client:      githttp.NewClient(&http.Client{Transport: patient}),
		connections: connections,
	}, nil
}

func (r *remote) close() { r.connections.CloseIdleConnections() }

func (r *remote) endpoint(ctx context.Context) (*transport.Endpoint, transport.AuthMethod, error) {
	endpoint, err := transport.NewEndpoint(r.place.text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no address of a git repository: %w", r.place, err)
	}
	if r.auth.Password == nil {
		return endpoint, nil, nil
	}
	password, err := r.auth.Password(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read the password for %s: %w", r.place, err)
	}
	return endpoint, &githttp.BasicAuth{Username: r.auth.Username, Password: password}, nil
}

// listing is the refs of a remote at one moment, and the session that can fetch them.
type listing struct {
	remote       *remote
	session      transport.UploadPackSession
	capabilities *capability.List
	refs         map[string]plumbing.Hash
}

// list is one ls-remote. An empty repository has no refs.
func (r *remote) list(ctx context.Context) (*listing, error) {
	endpoint, auth, err := r.endpoint(ctx)
	if err != nil {
		return nil, err
	}
	session, err := r.client.NewUploadPackSession(endpoint, auth)
	if err != nil {
		return nil, r.explain("reach", err)
	}
	advertised, err := session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return &listing{remote: r, session: session, capabilities: capability.NewList()}, nil
	}
	if err != nil {
		return nil, r.explain("list the branches of", err)
	}
	return &listing{remote: r, session: session, capabilities: advertised.Capabilities, refs: advertised.References}, nil
}

// tip is the commit of a branch, zero where the remote has no such branch.
func (l *listing) tip(branch string) plumbing.Hash {
	return l.refs[plumbing.NewBranchReferenceName(branch).String()]
}

func (l *listing) branches() []string {
	var names []string
	for name := range l.refs {
		if ref := plumbing.ReferenceName(name); ref.IsBranch() {
			names = append(names, ref.Short())
		}
	}
	slices.Sort(names)
	return names
}

// fetch stores what leads to want and is not behind the commits that are there already.
func (l *listing) fetch(ctx context.Context, s *store, want plumbing.Hash, have []plumbing.Hash) error {
	request := packp.NewUploadPackRequestFromCapabilities(l.capabilities)
	request.Wants = []plumbing.Hash{want}
	request.Haves = have
	if l.capabilities.Supports(capability.NoProgress) {
		if err := request.Capabilities.Set(capability.NoProgress); err != nil {
			return l.remote.explain("fetch from", err)
		}
	}
	response, err := l.session.UploadPack(ctx, request)
	if err != nil {
		return l.remote.explain("fetch from", err)
	}
	defer func() { _ = response.Close() }()
	err = s.exclusive(ctx, func(storage *filesystem.Storage) error {
		return packfile.UpdateObjectStorage(storage, packOf(response, request.Capabilities))
	})
	if err != nil {
		return l.remote.explain("fetch from", err)
	}
	return nil
}

func packOf(response io.Reader, agreed *capability.List) io.Reader {
	switch {
	case agreed.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, response)
	case agreed.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, response)
	default:
		return response
	}
}

// push moves a branch of the remote from one commit to another, and fails where it
// is elsewhere; from zero makes the branch. The pack holds what the remote lacks.
func (r *remote) push(ctx context.Context, branch string, from, to plumbing.Hash, pack []byte) error {
	endpoint, auth, err := r.endpoint(ctx)
	if err != nil {
		return err
	}
	session, err := r.client.NewReceivePackSession(endpoint, auth)
	if err != nil {
		return r.explain("reach", err)
	}
	advertised, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return r.explain("push to", err)
	}
	name := plumbing.NewBranchReferenceName(branch)
	if advertised.References[name.String()] != from {
		return fmt.Errorf("push %s to %s: %w", branch, r.place, deskhand.ErrMoved)
	}
	request := packp.NewReferenceUpdateRequestFromCapabilities(advertised.Capabilities)
	request.Commands = []*packp.Command{{Name: name, Old: from, New: to}}
	request.Packfile = io.NopCloser(bytes.NewReader(pack))
	if _, err := session.ReceivePack(ctx, request); err != nil {
		return r.explain("push to", err)
	}
	return nil
}

// explain says in the words of the person who must act what went wrong. What the
// server wrote with a refusal is left out: it may repeat what was sent.
func (r *remote) explain(doing string, err error) error {
	if unexpected := new(plumbing.UnexpectedError); errors.As(err, &unexpected) {
		err = unexpected.Err // it does not unwrap
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s %s: %w", doing, r.place, context.Canceled)
	}
	if request := new(url.Error); errors.As(err, &request) {
		if errors.As(err, new(x509.UnknownAuthorityError)) {
			return fmt.Errorf("%s %s: %w; name the authority's certificate as the CA file", doing, r.place, request.Err)
		}
		return fmt.Errorf("%s %s: it is not reachable: %w; check the address, the network and the proxy", doing, r.place, request.Err)
	}
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return fmt.Errorf("%s %s: the credentials were refused: %w; check the username and the password or token", doing, r.place, errRefused)
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return fmt.Errorf("%s %s: access is forbidden: %w; give the token the right to read, and for the audit branch to write", doing, r.place, errRefused)
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return fmt.Errorf("%s %s: there is no such repository, or these credentials may not see it: %w; check the URL and the token", doing, r.place, errRefused)
	default:
		return fmt.Errorf("%s %s: %s", doing, r.place, strings.TrimSpace(err.Error()))
	}
}

// errRefused means that the server answered, and said no.
var errRefused = errors.New("the server refused")
