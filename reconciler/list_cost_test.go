package reconciler

import (
	"context"
	"fmt"
	"testing"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
)

// crowd is a tenant with far more configurations than are managed.
type crowd struct {
	Platform

	tags  map[string]deskhand.ETag
	lists int
}

func (c *crowd) ETags(context.Context) (map[string]deskhand.ETag, error) {
	c.lists++
	return c.tags, nil
}

// TestListOfOthers keeps a tenant with few managed desktops among very many from
// paying for all of them at each sweep.
func TestListOfOthers(t *testing.T) {
	t.Parallel()
	const managed = worthAList + 1
	platform := &crowd{tags: map[string]deskhand.ETag{}}
	var questions []question
	for i := range managed*worthAList + 1 {
		id := fmt.Sprintf("dsk-%d", i)
		platform.tags[id] = `"1"`
		if i < managed {
			questions = append(questions, question{configID: id, known: `"1"`})
		}
	}
	reconciler := New("acme", DefaultRules(), Parts{Platform: platform, Logger: zerolog.Nop()})
	for range 3 {
		live, rest := reconciler.askList(t.Context(), questions)
		if len(live)+len(rest) != managed {
			t.Errorf("%d answers and %d questions, want %d together", len(live), len(rest), managed)
		}
	}
	if platform.lists != 1 {
		t.Errorf("the list was read %d times, want once", platform.lists)
	}
}
