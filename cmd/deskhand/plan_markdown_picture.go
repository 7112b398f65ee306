package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/deskhand/deskhand/policy"
)

const (
	pictureWidth = 108 // characters, as a comment shows them with little scrolling
	leastColumn  = 6   // characters
	mostRows     = 12
)

// screenWords says what a picture is of.
func screenWords(screen policy.Screen) string {
	return fmt.Sprintf("%s of %d px at %s", counted(screen.Columns, "column"), screen.ColumnWidth, screen.Resolution)
}

// drawScreen draws the widgets in their rows, each as wide as its columns:
//
//	+-----------------+-----------------+
//	| contact-summary | call-controls   |
//	+-----------------+-----------------+
func drawScreen(screen policy.Screen) string {
	column := columnCharacters(screen)
	width := column*screen.Columns + 1
	var picture strings.Builder
	above := map[int]bool{}
	for i, row := range screen.Rows {
		if i == mostRows {
			fmt.Fprintf(&picture, "%s\nand %d more rows\n", rule(width, above, nil), len(screen.Rows)-mostRows)
			return picture.String()
		}
		edges := map[int]bool{0: true, width - 1: true}
		line, at := "", 0
		for _, cell := range row {
			line += "| " + fill(shown(cell.Widget, longestShown), cell.Columns*column-2)
			at += cell.Columns * column
			edges[at] = true
		}
		if at < width-1 {
			line += "|" + strings.Repeat(" ", width-2-at)
		}
		fmt.Fprintf(&picture, "%s\n%s|\n", rule(width, above, edges), line)
		above = edges
	}
	return picture.String() + rule(width, above, nil) + "\n"
}

// columnCharacters is the width of a column in which the widgets' names have room,
// as far as the picture has.
func columnCharacters(screen policy.Screen) int {
	characters := leastColumn
	for _, row := range screen.Rows {
		for _, cell := range row {
			needed := utf8.RuneCountInString(cell.Widget) + len("|  ")
			characters = max(characters, (needed+cell.Columns-1)/cell.Columns)
		}
	}
	return min(characters, pictureWidth/screen.Columns)
}

// rule is the line between two rows, with a cross where either has an edge.
func rule(width int, above, below map[int]bool) string {
	line := []byte(strings.Repeat("-", width))
	for i := range line {
		if above[i] || below[i] {
			line[i] = '+'
		}
	}
	return string(line)
}

// fill is a text cut or padded to a width, with a space behind it.
func fill(text string, width int) string {
	characters := []rune(text)
	if len(characters) > width-1 {
		characters = append(characters[:max(width-2, 0)], '…')
	}
	text = string(characters)
	return text + strings.Repeat(" ", max(width-utf8.RuneCountInString(text), 0))
}

// fenced is a picture as a code block. No line of a picture begins with a name,
// so that none can end the block.
func fenced(picture string) string { return "```text\n" + picture + "```\n" }
