//go:build mutant_dropentry

package reconciler

// candidates is the mistake of forgetting the entries that only CXone has. The
// model must catch it.
func candidates(base, desired, _ keyedEntries) []string {
	return union(desired.order, base.order)
}
