package deskhand

import "errors"

// What can become of a call to CXone; a client's errors wrap one of these.
var (
	// ErrPrecondition: the configuration is not in the state that the write
	// was made for (409, 412 or 428). Read it, merge, and write again.
	ErrPrecondition = errors.New("the configuration changed in CXone")
	// ErrNoPrecondition: a write without an exact precondition was asked for.
	ErrNoPrecondition = errors.New("a write needs an exact precondition")
	// ErrUnauthorized: the credentials were refused, a renewed token included.
	ErrUnauthorized = errors.New("CXone refused the credentials")
	// ErrForbidden: a scope is missing. Not to be tried again until the
	// commit, the credentials or the configuration change.
	ErrForbidden = errors.New("CXone forbids this call")
	// ErrRejected: CXone does not accept the document (400, 413, 422). Not to be
	// tried again until the commit changes.
	ErrRejected = errors.New("CXone rejected the document")
	// ErrUnavailable: no useful answer within the attempts allowed; the state in
	// CXone is as it was. To be tried again later.
	ErrUnavailable = errors.New("CXone is unavailable")
	// ErrUnknownOutcome: a write was sent, its answer was lost, and CXone could
	// not be asked whether it was applied.
	ErrUnknownOutcome = errors.New("the outcome of the write is unknown")
)

// What can become of the daemon's own parts.
var (
	// ErrMoved: the branch is no longer where its writer left it; another
	// writer is at work.
	ErrMoved = errors.New("the branch moved")
	// ErrLocked: another process holds the data directory.
	ErrLocked = errors.New("another deskhand is running on this data directory")
	// ErrNoCommit: the repository is empty or the branch does not exist.
	ErrNoCommit = errors.New("there is no commit")
)
