package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReservedFor(t *testing.T) {
	t.Parallel()
	table, err := loadReserved()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		keys     string
		browsers []string
		want     []string // what is kept, by whom; blocked ones end in !
	}{
		{"a browser's own key", "ctrl+t", []string{"chrome", "edge"}, []string{
			"Control+T by Chrome and Edge on Windows, Linux and ChromeOS!",
		}},
		{"only the browsers that are supported", "ctrl+t", []string{"edge"}, []string{
			"Control+T by Edge on Windows and Linux!",
		}},
		{"Accel is Control", "Control+Shift+P", []string{"firefox"}, []string{
			"Control+Shift+P by Firefox on Windows and Linux!",
		}},
		{"Accel is Meta on macOS", "Meta+Shift+P", []string{"firefox"}, []string{
			"Meta+Shift+P by Firefox on macOS!",
			"Meta+<any> by Windows!",
		}},
		{"Safari means macOS", "Meta+B", []string{"safari"}, []string{
			"Meta+<any> by operating systems and assistive technology",
		}},
		{"macOS does not keep Control+W", "Control+W", []string{"safari"}, nil},
		{"a system's key", "Alt+Space", []string{"edge"}, []string{
			"Alt+Space by Windows!",
			"Alt+Space by operating systems and assistive technology",
		}},
		{"AltGr and VoiceOver", "Control+Alt+K", []string{"chrome"}, []string{
			"Control+Alt+<any> by VoiceOver",
			"Control+Alt+<letter> by European keyboards, which type a character with AltGr, the same as Control+Alt",
		}},
		{"a digit needs no AltGr", "Control+Alt+1", []string{"chrome", "edge"}, []string{
			"Control+Alt+<any> by VoiceOver",
		}},
		{"a bare letter", "k", []string{"edge"}, []string{
			"<letter> by screen readers, in browse mode, where single characters move the reader",
		}},
		{"a screen reader's modifier", "CapsLock+Shift+K", []string{"edge"}, []string{
			"CapsLock+<any> by screen readers",
		}},
		{"a function key", "Alt+F3", []string{"edge"}, []string{
			"Alt+<function> by operating systems and assistive technology",
		}},
		{"Option types a character", "Alt+Shift+Q", []string{"edge"}, []string{
			"Alt+Shift+<printable> by the keyboard, where Option types a character",
		}},
		{"a range", "Control+7", []string{"edge"}, []string{
			"Control+7 by Edge on Windows and Linux",
		}},
		{"Alt and a digit on Linux", "Alt+7", []string{"firefox"}, []string{
			"Alt+7 by Firefox on Linux",
			"Alt+<printable> by the keyboard, where Option types a character",
		}},
		{"CXone's own", "Shift+Enter", []string{"edge"}, []string{
			"Shift+Enter by operating systems and assistive technology",
			"Shift+Enter by the CXone agent desktop",
		}},
		{"free keys", "Control+Shift+Y", []string{"chrome", "edge"}, nil},
		{"an unknown browser", "Control+T", []string{"netscape"}, nil},
		{"no browser", "Control+T", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			parsed, err := parseKeys(test.keys)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, reservation := range table.reservedFor(parsed, test.browsers) {
				line := reservation.Keys + " by " + reservation.By
				if reservation.Blocked {
					line += "!"
				}
				if reservation.Source == "" {
					t.Errorf("%s has no source", line)
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("reservations (-want +got):\n%s", diff)
			}
		})
	}
}

// Every combination of the table is found by looking it up.
func TestReservedTableIsReachable(t *testing.T) {
	t.Parallel()
	table, err := loadReserved()
	if err != nil {
		t.Fatal(err)
	}
	browsers := []string{"chrome", "edge", "firefox", "safari"}
	for _, group := range table.groups {
		for _, pattern := range group.patterns {
			if strings.HasPrefix(pattern.key, "<") {
				continue
			}
			for _, system := range group.Systems {
				found := table.reservedFor(keys{modifiers: pattern.modifiersOn(system), key: pattern.key}, browsers)
				if !slices.ContainsFunc(found, func(r reservation) bool { return r.Blocked == pattern.blocked || r.Blocked }) {
					t.Errorf("%s on %s is not found", pattern.on(system), system)
				}
			}
		}
	}
}

func TestReservedRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text, reason string
	}{
		{"an unknown field", "groups: [{os: windows}]", "field os not found"},
		{"no system", "groups: [{by: X, source: Y}]", "names no systems"},
		{"nobody", "groups: [{systems: [windows], source: Y}]", "neither browsers"},
		{"no source", "groups: [{systems: [windows], by: X}]", "no source"},
		{"an unknown system", "groups: [{systems: [beos], by: X, source: Y}]", `unknown system "beos"`},
		{"an unknown browser", "groups: [{systems: [linux], browsers: [lynx], source: Y}]", `unknown browser "lynx"`},
		{"an alias", "groups: [{systems: [linux], by: X, source: Y, avoid: [ctrl+a]}]", "not in normal form"},
		{"no keys", "groups: [{systems: [linux], by: X, source: Y, avoid: [Control+Foo]}]", "no key is named"},
		{"an unknown kind", "groups: [{systems: [linux], by: X, source: Y, avoid: [Control+<vowel>]}]", "unknown kind of key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseReserved([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want %q", err, test.reason)
			}
		})
	}
}
