// Command bench measures deskhand as a whole and prints one table: what a job
// took in requests, time and memory, beside a floor that was measured in the same
// run. The floor is a bare loop that does only what the job cannot do without.
//
//	make bench
//	go run ./cmd/bench -only sweep
//
// Counts are exact; times are noisy, so look at the ratio.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == parseFloorVerb {
		if err := parseFloor(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	only := flag.String("only", "", "run the jobs whose name contains this")
	flag.Parse()
	home, err := os.MkdirTemp("", "deskhand-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(home) }()
	binary, err := build(ctx, home)
	if err != nil {
		return err
	}
	var rows []row
	for _, job := range jobs() {
		if !strings.Contains(job.name, *only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", job.name)
		folder, err := os.MkdirTemp(home, "job-")
		if err != nil {
			return err
		}
		measured, err := job.measure(ctx, &stage{binary: binary, home: folder})
		if err != nil {
			return fmt.Errorf("%s: %w", job.name, err)
		}
		for i := range measured {
			measured[i].job = job.name
		}
		rows = append(rows, measured...)
	}
	printTable(rows)
	return nil
}

// row is one line of the table. A zero value is a column that does not apply.
type row struct {
	job      string
	requests string
	bytes    int64
	wall     time.Duration
	floor    time.Duration
	cpu      time.Duration
	rss      int64 // peak, in bytes
	note     string
}

func (r row) ratio() float64 { return float64(r.wall) / float64(r.floor) }

func printTable(rows []row) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "job\trequests\tbytes\twall\tfloor\tratio\tCPU\tpeak RSS\tnote")
	for _, row := range rows {
		ratio := "-"
		if row.floor > 0 {
			ratio = fmt.Sprintf("%.2f", row.ratio())
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.job, row.requests, kib(row.bytes),
			milliseconds(row.wall), milliseconds(row.floor), ratio, milliseconds(row.cpu), mib(row.rss), row.note)
	}
	_ = table.Flush()
}

func milliseconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func kib(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%d KiB", bytes/1024)
}

func mib(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
}
