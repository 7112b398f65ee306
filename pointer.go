package deskhand

import (
	"strconv"
	"strings"
)

// Pointer is a JSON Pointer (RFC 6901); "" is the whole document.
type Pointer string

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// Child is the pointer to a member of the object that p points to.
func (p Pointer) Child(name string) Pointer {
	return p + "/" + Pointer(pointerEscapes.Replace(name))
}

// Index is the pointer to an element of the array that p points to.
func (p Pointer) Index(i int) Pointer {
	return p + "/" + Pointer(strconv.Itoa(i))
}

// Parent is the pointer to what holds p, "" at the top.
func (p Pointer) Parent() Pointer {
	cut := strings.LastIndexByte(string(p), '/')
	if cut < 0 {
		return ""
	}
	return p[:cut]
}

// Tokens are the unescaped reference tokens from the top, none for "".
func (p Pointer) Tokens() []string {
	if p == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(string(p), "/"), "/")
	for i, token := range tokens {
		// RFC 6901 section 4: first ~1, then ~0.
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens
}
