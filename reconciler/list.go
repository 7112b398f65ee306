package reconciler

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/deskhand/deskhand"
)

// Lister is a Platform that can tell the ETags of all its configurations at
// once, which for many desktops costs far fewer requests than asking for each.
type Lister interface {
	// ETags are by configId, "" where the list shows none. A configuration that
	// comes or goes meanwhile may be missing. The error wraps
	// errors.ErrUnsupported where the tenant has no list.
	ETags(ctx context.Context) (map[string]deskhand.ETag, error)
}

// worthAList is from how many desktops on a list is asked for: those of one page.
const worthAList = 100

// listing is what this process found out about a tenant's list.
type listing struct {
	// isUseless: there is none, or it does not tell what a GET tells.
	isUseless atomic.Bool
}

// askList answers the questions about desktops whose ETag the list confirms, and
// returns those that only a GET can answer: whatever changed, and whatever is
// missing, since a list that changes while it is read may leave out what is there.
func (r *Reconciler) askList(ctx context.Context, questions []question) (live map[string]deskhand.Observed, rest []question) {
	live = map[string]deskhand.Observed{}
	lister, hasList := r.parts.Platform.(Lister)
	known := 0
	for _, question := range questions {
		if question.known != "" {
			known++
		}
	}
	if !hasList || known <= worthAList || r.listing.isUseless.Load() {
		return live, questions
	}
	tags, err := lister.ETags(ctx)
	switch {
	case ctx.Err() != nil:
		return live, questions // nobody waits for the answers any more
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, deskhand.ErrForbidden):
		r.giveUpList("the tenant has no list of configurations")
		return live, questions
	case err != nil:
		r.log.Warn().Err(err).Msg("the list of configurations could not be read; going on one by one")
		return live, questions
	case len(tags) > worthAList*known:
		r.giveUpList("the tenant has so many other configurations that a list costs more")
	}
	shown := 0
	for _, question := range questions {
		question.listed = tags[question.configID]
		if question.listed != "" {
			shown++
		}
		if question.listed == "" || question.listed != question.known {
			rest = append(rest, question)
			continue
		}
		live[question.configID] = deskhand.Observed{Exists: true, ETag: question.known, NotModified: true}
	}
	if shown == 0 && len(tags) > 0 {
		r.giveUpList("the list of configurations shows no ETags")
	}
	return live, rest
}

// judgeList gives the list up where each ETag by which it differed turned out to
// be another spelling of the known one.
func (r *Reconciler) judgeList(questions []question, live map[string]deskhand.Observed) {
	differed, confirmed := 0, 0
	for _, question := range questions {
		if question.listed == "" {
			continue
		}
		differed++
		if live[question.configID].NotModified {
			confirmed++
		}
	}
	if differed > 0 && confirmed == differed {
		r.giveUpList("the list of configurations shows other ETags than the configurations themselves")
	}
}

func (r *Reconciler) giveUpList(why string) {
	if !r.listing.isUseless.Swap(true) {
		r.log.Info().Msg(why + "; going on one by one from now on")
	}
}
