package deskhand

import (
	"fmt"
	"strconv"
	"strings"
)

// Desktop is the definition of one CXone configuration after resolution: the
// defaults of its folders, what it extends, and its own file, merged.
type Desktop struct {
	ConfigID string // "" where the definition gives none; review refuses it
	Tier     Tier   // by the folder; "" outside a tier's folder, which review refuses
	File     string // slash-separated, from the root of the repository
	Labels   map[string]string
	// Definition is everything that the files say, the keys about the
	// definition itself included.
	Definition Document
	// Document is the payload that the definition asks for: the definition
	// less the keys about itself, and what `extra` passes through.
	Document Document
	// Origins tells for each value of Definition which place set it.
	Origins Origins
	// Fingerprint differs wherever any file that the desktop rests on differs.
	// Equal fingerprints mean equal definitions and equal origins.
	Fingerprint string
}

// Origin is the place that set the payload's value at path.
func (d Desktop) Origin(path Pointer) Position {
	position, found := d.Origins.At(path)
	if extra, fromExtra := d.Origins.exact("/extra" + path); fromExtra {
		return extra
	}
	if !found {
		return Position{File: d.File}
	}
	return position
}

func (o Origins) exact(path Pointer) (Position, bool) {
	position, found := o.At(path)
	if parent, _ := o.At(path.Parent()); found && parent == position {
		return Position{}, false
	}
	return position, found
}

// Snapshot is every desktop of one tenant at one commit.
type Snapshot struct {
	Tenant   Tenant
	Commit   Commit
	Desktops []Desktop // sorted by file
	// Unreadable are the files that hold a desktop which cannot be told, each
	// with at least one error in Findings. What they hold must not be taken
	// for deleted.
	Unreadable []Unreadable
	Findings   []Finding
	// Policy is the repository's policy.yaml, nil where it has none.
	Policy *File
}

// Unreadable is a definition that could not be resolved.
type Unreadable struct {
	File     string
	ConfigID string // "" where not even that could be read
}

// File is a file of the repository.
type File struct {
	Path    string // slash-separated, from the root of the repository
	Content []byte
}

// Resolution is the size of a screen in physical pixels.
type Resolution struct {
	Width, Height int
}

// ParseResolution reads WIDTHxHEIGHT, such as 1366x768.
func ParseResolution(text string) (Resolution, error) {
	widthText, heightText, found := strings.Cut(text, "x")
	width, widthErr := strconv.Atoi(widthText)
	height, heightErr := strconv.Atoi(heightText)
	if !found || widthErr != nil || heightErr != nil || width <= 0 || height <= 0 {
		return Resolution{}, fmt.Errorf("%q is no resolution; write WIDTHxHEIGHT, such as 1366x768", text)
	}
	return Resolution{Width: width, Height: height}, nil
}

// String prints WIDTHxHEIGHT.
func (r Resolution) String() string {
	return strconv.Itoa(r.Width) + "x" + strconv.Itoa(r.Height)
}
