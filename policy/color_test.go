package policy

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestColorParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		css  string
		want rgba
	}{
		{"white", rgba{1, 1, 1, 1}},
		{"  ReBeccaPurple ", fromBytes(0x66, 0x33, 0x99, 0xff)},
		{"LightGoldenrodYellow", fromBytes(0xfa, 0xfa, 0xd2, 0xff)},
		{"slategrey", fromBytes(0x70, 0x80, 0x90, 0xff)},
		{"transparent", rgba{}},
		{"#fff", rgba{1, 1, 1, 1}},
		{"#F008", fromBytes(0xff, 0, 0, 0x88)},
		{"#1a2B3c", fromBytes(0x1a, 0x2b, 0x3c, 0xff)},
		{"#1a2b3c4d", fromBytes(0x1a, 0x2b, 0x3c, 0x4d)},
		{"rgb(255, 0, 51)", rgba{1, 0, 0.2, 1}},
		{"RGBA(255,0,51,.5)", rgba{1, 0, 0.2, 0.5}},
		{"rgb(100%,0%,20%)", rgba{1, 0, 0.2, 1}},
		{"rgba(100%, 0%, 20%, 50%)", rgba{1, 0, 0.2, 0.5}},
		{"rgb(255 0 51)", rgba{1, 0, 0.2, 1}},
		{"rgb(255 0% 51 / 50%)", rgba{1, 0, 0.2, 0.5}},
		{"rgb(255 0 51/0.5)", rgba{1, 0, 0.2, 0.5}},
		{"rgb(none 0 51 / none)", rgba{0, 0, 0.2, 0}},
		{"rgb(300, -20, 51)", rgba{1, 0, 0.2, 1}},
		{"rgb(1e999, 0, 5.1e1)", rgba{1, 0, 0.2, 1}},
		{"hsl(0, 100%, 50%)", rgba{1, 0, 0, 1}},
		{"hsl(120deg 100% 25%)", rgba{0, 0.5, 0, 1}},
		{"hsla(240, 100%, 50%, 0.25)", rgba{0, 0, 1, 0.25}},
		{"hsl(-120 100 50)", rgba{0, 0, 1, 1}},
		{"hsl(0.5turn 100% 50%)", rgba{0, 1, 1, 1}},
		{"hsl(200grad 100% 50% / 1)", rgba{0, 1, 1, 1}},
		{"hsl(3.14159265358979rad 100% 50%)", rgba{0, 1, 1, 1}},
		{"hsl(0 0% 20%)", rgba{0.2, 0.2, 0.2, 1}},
	} {
		t.Run(test.css, func(t *testing.T) {
			t.Parallel()
			got, err := parseColor(test.css)
			if err != nil {
				t.Fatal(err)
			}
			if !near(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestColorRefuses(t *testing.T) {
	t.Parallel()
	for _, css := range []string{
		"", " ", "blu", "currentColor", "inherit", "var(--brand)", "linear-gradient(red, blue)",
		"color(display-p3 1 0 0)", "url(x.png)", "#", "#12", "#12345", "#1234567", "#ggg", "#+12", "# fff",
		"rgb(1,2)", "rgb(1,2,3", "rgb 1,2,3)", "rgb(1 2 3 4)", "rgb(1 2 / 3 4)", "rgb(1,2,3,4,5)", "rgb(1, 2 3)",
		"rgb(1%, 2, 3)", "rgb(0x10, 2, 3)", "rgb(1_0, 2, 3)", "rgb(1., 2, 3)", "rgb(inf, 2, 3)", "rgb(nan, 2, 3)",
		"rgb(none, 2, 3)", "hsl(0, 100, 50)", "hsl(inf 1% 1%)", "hsl(1e999 1% 1%)", "hsl(90foo 1% 1%)", "hsl(90deg 1% 1% 1%)",
		"blac\u212a", "red\x00", strings.Repeat("f", longestColor+1),
	} {
		t.Run(css, func(t *testing.T) {
			t.Parallel()
			got, err := parseColor(css)
			if !errors.Is(err, errColor) {
				t.Errorf("got %+v and error %v, want errColor", got, err)
			}
		})
	}
}

func TestColorSyntaxesAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, g, b := rapid.Byte().Draw(t, "r"), rapid.Byte().Draw(t, "g"), rapid.Byte().Draw(t, "b")
		want := fromBytes(r, g, b, 255)
		for _, css := range []string{
			fmt.Sprintf("#%02x%02x%02x", r, g, b),
			fmt.Sprintf("rgb(%d, %d, %d)", r, g, b),
			fmt.Sprintf("rgb(%d %d %d / 100%%)", r, g, b),
		} {
			got, err := parseColor(css)
			if err != nil || got != want {
				t.Fatalf("%s: got %+v and error %v, want %+v", css, got, err, want)
			}
		}
	})
}

func FuzzColor(f *testing.F) {
	for _, seed := range []string{"red", "#fff", "rgb(1 2 3 / 4%)", "hsla(1turn, 2%, 3%, .4)", "var(--x)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, css string) {
		color, err := parseColor(css)
		if err != nil {
			if !errors.Is(err, errColor) {
				t.Fatalf("error %v does not wrap errColor", err)
			}
			return
		}
		for _, channel := range []float64{color.r, color.g, color.b, color.a} {
			if math.IsNaN(channel) || channel < 0 || channel > 1 {
				t.Fatalf("%q: channel %v is out of range", css, channel)
			}
		}
	})
}

func near(a, b rgba) bool {
	const tolerance = 1e-9
	return math.Abs(a.r-b.r) < tolerance && math.Abs(a.g-b.g) < tolerance &&
		math.Abs(a.b-b.b) < tolerance && math.Abs(a.a-b.a) < tolerance
}
