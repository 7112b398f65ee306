package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestContrastKnownAnswers(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/contrast-known-answers.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		foreground, background, text, nonText := row[0], row[1], row[3], row[4]
		want, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(foreground+" on "+background, func(t *testing.T) {
			t.Parallel()
			got := mustContrast(t, foreground, background)
			if math.Abs(got-want) > 0.0001 {
				t.Errorf("ratio %v, want %v", got, want)
			}
			if passes := got >= minTextContrast; passes != (text == "pass") {
				t.Errorf("text passes: %t, want %s", passes, text)
			}
			if passes := got >= minNonTextContrast && got >= minLargeTextContrast; passes != (nonText == "pass") {
				t.Errorf("large text and non-text pass: %t, want %s", passes, nonText)
			}
		})
	}
}

func TestContrastTranslucentBackground(t *testing.T) {
	t.Parallel()
	for _, background := range []string{"transparent", "#ffffff80", "rgb(0 0 0 / 99%)"} {
		bg, err := parseColor(background)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := contrastRatio(rgba{a: 1}, bg); !errors.Is(err, errTranslucentBackground) {
			t.Errorf("%s: error %v, want errTranslucentBackground", background, err)
		}
		white := rgba{1, 1, 1, 1}
		if _, err := contrastRatio(rgba{a: 1}, bg.over(white)); err != nil {
			t.Errorf("%s over white: %v", background, err)
		}
	}
}

func TestContrastIsSymmetricAndBounded(t *testing.T) {
	t.Parallel()
	channel := rapid.Float64Range(0, 1)
	rapid.Check(t, func(t *rapid.T) {
		a := rgba{channel.Draw(t, "r"), channel.Draw(t, "g"), channel.Draw(t, "b"), 1}
		b := rgba{channel.Draw(t, "r"), channel.Draw(t, "g"), channel.Draw(t, "b"), 1}
		forth, errForth := contrastRatio(a, b)
		back, errBack := contrastRatio(b, a)
		if errForth != nil || errBack != nil || forth != back || forth < 1 || forth > 21 {
			t.Fatalf("%v and %v (%v, %v), want equal and 1 to 21", forth, back, errForth, errBack)
		}
	})
}

func TestContrastFormat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ratio float64
		want  string
	}{
		{21, "21.00:1"},
		{4.5, "4.50:1"},
		{4.4999, "4.49:1"},
		{math.Nextafter(4.5, 0), "4.49:1"},
		{math.Nextafter(3, 0), "2.99:1"},
		{1, "1.00:1"},
	} {
		if got := formatRatio(test.ratio); got != test.want {
			t.Errorf("%v is printed %s, want %s", test.ratio, got, test.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ratio := rapid.Float64Range(1, 21).Draw(t, "ratio")
		var printed float64
		if _, err := fmt.Sscanf(formatRatio(ratio), "%f:1", &printed); err != nil {
			t.Fatal(err)
		}
		if printed > ratio || ratio-printed > 0.011 {
			t.Fatalf("%v is printed as %v", ratio, printed)
		}
	})
}

func mustContrast(t *testing.T, foreground, background string) float64 {
	t.Helper()
	fg, err := parseColor(foreground)
	if err != nil {
		t.Fatal(err)
	}
	bg, err := parseColor(background)
	if err != nil {
		t.Fatal(err)
	}
	ratio, err := contrastRatio(fg, bg)
	if err != nil {
		t.Fatal(err)
	}
	return ratio
}
