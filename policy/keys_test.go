package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestKeysNormalForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, want string
	}{
		{"Control+Alt+1", "Control+Alt+1"},
		{"alt+ctrl+1", "Control+Alt+1"},
		{"CTRL + Shift + n", "Control+Shift+N"},
		{"cmd+w", "Meta+W"},
		{"Command+Option+Left", "Meta+Alt+ArrowLeft"},
		{"win+l", "Meta+L"},
		{"⌘+⇧+3", "Meta+Shift+3"},
		{"esc", "Escape"},
		{"Ctrl+Del", "Control+Delete"},
		{"alt+space", "Alt+Space"},
		{"ctrl+return", "Control+Enter"},
		{"pgdn", "PageDown"},
		{"f12", "F12"},
		{"ctrl+f24", "Control+F24"},
		{"Control++", "Control+Plus"},
		{"+", "Plus"},
		{"Control + +", "Control+Plus"},
		{"Ctrl+-", "Control+-"},
		{"meta+`", "Meta+`"},
		{"alt+ä", "Alt+Ä"},
		{"ſ", "ſ"},
		{"insert", "Insert"},
		{"shift+ins", "Shift+Insert"},
		{"Insert+F7", "Insert+F7"},
		{"capslock+a", "CapsLock+A"},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			parsed, err := parseKeys(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := parsed.String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if hinted := parsed.hint(test.text) != ""; hinted == (test.text == test.want) {
				t.Errorf("hint %q for %q", parsed.hint(test.text), test.text)
			}
		})
	}
}

func TestKeysRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, reason string
	}{
		{"", "empty"},
		{"  ", "empty"},
		{"Alt", "modifiers alone"},
		{"Control+Shift", "modifiers alone"},
		{"Control+ctrl+A", "Control is there twice"},
		{"A+Control", "A is no modifier"},
		{"A+B", "A is no modifier"},
		{"Control+A+B", "A is no modifier"},
		{"Control+", "a key is missing"},
		{"+A", "a key is missing"},
		{"Control++A", "a key is missing"},
		{"Control-A", "joined by plus signs"},
		{"Control+K Control+S", "one combination"},
		{"Control+Foo", `no key is named "Foo"`},
		{"F0", "no key is named"},
		{"F25", "no key is named"},
		{"Control+\x07", "no key types"},
		{"Control+\xff", "no key types"},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			_, err := parseKeys(test.text)
			if !errors.Is(err, errKeys) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want errKeys with %q", err, test.reason)
			}
		})
	}
}

func TestKeysBareCharacter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"a": true, "Shift+A": true, "7": true, "?": true, "Plus": true, "ä": true,
		"F2": false, "Enter": false, "Space": false, "Escape": false, "Alt+A": false, "Control+Shift+A": false, "CapsLock+A": false,
	} {
		parsed, err := parseKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.bareCharacter(); got != want {
			t.Errorf("%s is a bare character: %t, want %t", text, got, want)
		}
	}
}

func FuzzKeys(f *testing.F) {
	for _, seed := range []string{"Control+Alt+1", "cmd+w", "Control++", "+", "capslock+a", "Alt+ä", "f7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseKeys(text)
		if err != nil {
			return
		}
		normal := parsed.String()
		again, err := parseKeys(normal)
		if err != nil || again != parsed || again.hint(normal) != "" {
			t.Fatalf("%q has the normal form %q, which reads as %q (%v)", text, normal, again, err)
		}
	})
}
