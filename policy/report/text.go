package report

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand"
)

// SGR parameters (ECMA-48), the eight colours that every terminal has.
const (
	bold   = "1"
	faint  = "2"
	red    = "1;31"
	yellow = "1;33"
	cyan   = "36"
	reset  = "\x1b[0m"
)

// printer writes the text format.
type printer struct {
	bytes.Buffer
	color   bool
	width   int
	sources sources
	secrets map[string]bool // the files in which a secret was found
}

func renderText(r Report, opts Options) []byte {
	p := printer{
		color:   opts.Color,
		width:   opts.Width,
		sources: sources{read: opts.Source},
		secrets: filesWithSecrets(r.Findings),
	}
	if p.width <= 0 {
		p.width = defaultWidth
	}
	groups, rest := atMost(groupFindings(r.Findings), opts.MaxFindings)
	for _, g := range groups {
		p.finding(g)
	}
	if rest > 0 {
		fmt.Fprintf(&p, "and %s\n\n", count(rest, "more finding"))
	}
	verdict := r.Summary.verdict()
	switch {
	case r.Summary.Errors > 0:
		verdict = p.paint(red, verdict)
	case r.Summary.Warnings > 0:
		verdict = p.paint(yellow, verdict)
	}
	fmt.Fprintf(&p, "%s: %s\n", r.Summary.scope(), verdict)
	return p.Bytes()
}

// finding writes file:line:col, severity, message and rule on one line, and below it
// the code frame and what to do.
func (p *printer) finding(g group) {
	if place := cleanLine(g.Position().String()); place != "" {
		p.WriteString(p.paint(bold, place) + "  ")
	}
	fmt.Fprintf(p, "%s  %s  %s\n", p.severity(g.Severity), cleanLine(g.Message), p.paint(faint, cleanLine(g.Rule)))
	if !p.secrets[g.File] {
		p.frame(g.Position())
	}
	for _, line := range g.details() {
		p.WriteString("  " + line + "\n")
	}
	p.WriteByte('\n')
}

// filesWithSecrets are the files that a rule named …/secret points into. They
// have no code frames: even that of another finding may hold the secret, which
// must not be copied into a log.
func filesWithSecrets(findings []deskhand.Finding) map[string]bool {
	files := make(map[string]bool)
	for _, finding := range findings {
		if strings.HasSuffix(finding.Rule, "/secret") {
			files[finding.File] = true
		}
	}
	return files
}

func (p *printer) frame(at deskhand.Position) {
	number := strconv.Itoa(at.Line)
	margin := strings.Repeat(" ", len(number))
	const gutter = len("    | ")
	piece, found := p.sources.frame(at, p.width-len(number)-gutter)
	if !found {
		return
	}
	if piece.before != "" {
		before := fmt.Sprintf("%*d", len(number), at.Line-1)
		fmt.Fprintf(p, "    %s\n", strings.TrimRight(p.paint(faint, before+" |")+" "+piece.before, " "))
	}
	fmt.Fprintf(p, "  %s %s %s\n", p.paint(red, ">"), p.paint(faint, number+" |"), piece.line)
	if piece.caret != "" {
		fmt.Fprintf(p, "    %s %s\n", p.paint(faint, margin+" |"), p.caret(piece.caret))
	}
}

func (p *printer) caret(caret string) string {
	indent := strings.TrimSuffix(caret, "^")
	return indent + p.paint(red, "^")
}

func (p *printer) severity(severity deskhand.Severity) string {
	switch severity {
	case deskhand.SeverityError:
		return p.paint(red, string(severity))
	case deskhand.SeverityWarning:
		return p.paint(yellow, string(severity))
	default:
		return p.paint(cyan, cleanLine(string(severity)))
	}
}

// paint wraps text in an SGR sequence where colours are on.
func (p *printer) paint(sgr, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + sgr + "m" + text + reset
}
