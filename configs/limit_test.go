package configs

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParseLimit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Limit{
		"10%": {Percent: 10}, "0.5%": {Percent: 0.5}, "100 %": {Percent: 100}, "0": {}, "25": {Count: 25},
	} {
		if got, err := ParseLimit(text); err != nil || got != want {
			t.Errorf("ParseLimit(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "0%", "-1", "-5%", "101%", "ten", "1.5", "NaN%", "Inf%"} {
		if got, err := ParseLimit(text); err == nil {
			t.Errorf("ParseLimit(%q) = %v, want an error", text, got)
		}
	}
}

func TestLimitAllowsOneOfFew(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit       Limit
		total, want int
	}{
		{Limit{Percent: 10}, 3, 1},
		{Limit{Percent: 10}, 100, 10},
		{Limit{Percent: 10}, 109, 10},
		{Limit{Count: 5}, 100, 5},
		{Limit{}, 100, 0},
	} {
		if got := test.limit.Of(test.total); got != test.want {
			t.Errorf("%v of %d = %d, want %d", test.limit, test.total, got, test.want)
		}
	}
}

func TestLimitPrintsWhatItParses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{Count: rapid.IntRange(0, 1e6).Draw(t, "count")}
		if rapid.Bool().Draw(t, "share") {
			limit = Limit{Percent: rapid.Float64Range(0.001, 100).Draw(t, "percent")}
		}
		if got, err := ParseLimit(limit.String()); err != nil || got != limit {
			t.Errorf("ParseLimit(%s) = %v, %v", limit, got, err)
		}
	})
}
