//go:build !mutant_dropentry

package reconciler

// candidates are the names of all entries that may be in a merged array.
func candidates(base, desired, live keyedEntries) []string {
	return union(desired.order, live.order, base.order)
}
