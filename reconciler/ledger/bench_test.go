package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
)

// BenchmarkSettle settles a thousand desktops one by one from ten workers, as a
// first sync does.
func BenchmarkSettle(b *testing.B) {
	const workers, desktops = 10, 1000
	live := document(b, `{"layout":{"gridColumns":8,"widgetOrder":["contact-summary","call-controls"]}}`)
	for b.Loop() {
		l, err := ledger.Open(b.TempDir(), ledger.Options{})
		if err != nil {
			b.Fatal(err)
		}
		var group sync.WaitGroup
		for worker := range workers {
			group.Go(func() {
				for i := range desktops / workers {
					one := settled(fmt.Sprintf("dsk-%d-%d", worker, i), live)
					if err := l.Settle(context.Background(), acme, []deskhand.Settlement{one}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		group.Wait()
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
