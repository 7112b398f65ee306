package reconciler

import (
	"errors"
	"fmt"

	"github.com/deskhand/deskhand"
)

// ErrPlanMoved means that a plan made earlier is not what would be done now.
var ErrPlanMoved = errors.New("the plan no longer holds")

// check returns an error wrapping ErrPlanMoved unless plan does what the pass
// expects. The expected plan is never trusted with more than that: what is
// written is the plan that was made, reviewed and compared just now.
func (p Pass) check(plan deskhand.Plan) error {
	if p.Exactly == nil {
		return nil
	}
	if p.Exactly.Commit.SHA != plan.Commit.SHA {
		return fmt.Errorf("%w: it was made for %s and the commit is %s", ErrPlanMoved, p.Exactly.Commit.Revision(), plan.Commit.Revision())
	}
	expected := make(map[string]deskhand.Change, len(p.Exactly.Changes))
	for _, change := range p.Exactly.Changes {
		expected[change.ConfigID] = change
	}
	for _, change := range plan.Changes {
		was, isExpected := expected[change.ConfigID]
		delete(expected, change.ConfigID)
		switch {
		case !isExpected:
			return fmt.Errorf("%w: %s would be changed too: %s", ErrPlanMoved, change.ConfigID, change.Why)
		case was.IfMatch != change.IfMatch:
			return fmt.Errorf("%w: %s was changed in CXone: its ETag is %s and was %s", ErrPlanMoved, change.ConfigID, change.IfMatch, was.IfMatch)
		case was.Op != change.Op || was.Before != change.Before || was.After != change.After || was.Base != change.Base:
			return fmt.Errorf("%w: %s would be changed differently", ErrPlanMoved, change.ConfigID)
		}
	}
	for configID := range expected {
		return fmt.Errorf("%w: %s needs no change any more", ErrPlanMoved, configID)
	}
	return nil
}
