// Package notify tells webhooks what happened to the desktops: each record of the
// journal becomes one signed event, which is sent until the sink takes it or three
// days have passed. A dead sink slows nothing but itself.
package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/rs/zerolog"
)

// Feed is the journal.
type Feed interface {
	// Entries lists at most limit entries with a Seq greater than after, in order.
	Entries(ctx context.Context, after uint64, limit int) ([]deskhand.Entry, error)
	// Wait returns once there is such an entry.
	Wait(ctx context.Context, after uint64) error
}

// Store keeps the state of a reader of the journal on disk.
type Store interface {
	// LoadReader returns the reader's cursor and visits its values. A reader that
	// never saved is not known. A value is valid only during its visit.
	LoadReader(ctx context.Context, name string, visit func(key string, value []byte) error) (cursor uint64, known bool, err error)
	// SaveReader keeps the cursor and the values, all or nothing; nil deletes.
	SaveReader(ctx context.Context, name string, cursor uint64, values map[string][]byte) error
}

// Meter counts what happens.
type Meter interface {
	// Delivered counts an attempt; err is nil where the sink took the event.
	Delivered(sink string, err error)
	DeadLettered(sink string)
}

// Sink is one webhook.
type Sink struct {
	Name string
	// URL is https, or http on loopback where AllowPrivate is set.
	URL string
	// Secret is asked before each attempt: whsec_ and base64, or a raw key. Nil or
	// an empty secret leaves events unsigned.
	Secret func(context.Context) (string, error)
	// Format is cloudevents or plain; "" is cloudevents.
	Format string
	// Events are globs on the event's type, or on what follows its last dot; none
	// is all.
	Events []string
	// AllowPrivate lets it post to loopback and private addresses, and through the
	// proxy of the environment.
	AllowPrivate bool
}

// Options are what a Notifier needs besides its sink.
type Options struct {
	// Start is the Seq after which a sink begins that was never started before:
	// the tail of the journal when the daemon started.
	Start     uint64
	Version   string            // of deskhand, for User-Agent
	Transport http.RoundTripper // nil is one that refuses private addresses
	Meter     Meter             // nil counts nothing
	Logger    zerolog.Logger
}

const (
	requestTimeout = 15 * time.Second
	// maxInFlight bounds how many events of a sink are under way at once.
	maxInFlight = 4
	// maxWaiting bounds how many events of a sink are held outside the journal.
	maxWaiting = 512
	// saveInterval bounds how many events are sent again after a crash.
	saveInterval = time.Second
	saveTimeout  = 10 * time.Second
)

// The keys of the values that a Notifier keeps in its Store.
const (
	keyStopped    = "stopped"
	prefixDead    = "dead/"    // and the record's id
	prefixWaiting = "waiting/" // and the record's id
)

// Notifier delivers to one sink. It is safe for concurrent use, but Run must be
// called once.
type Notifier struct {
	sink      Sink
	endpoint  *url.URL
	feed      Feed
	store     Store
	client    *http.Client
	userAgent string
	meter     Meter
	logger    zerolog.Logger

	wake chan struct{} // holds one signal while there may be something to send
	room chan struct{} // holds one signal while there may be something to read

	mu        sync.Mutex
	read      uint64 // entries up to here are in the queue or done
	queue     queue
	inFlight  int
	heldUntil time.Time         // the sink asked for silence (Retry-After)
	stop      *Stop             // the sink asked for silence for ever (410)
	unsaved   map[string][]byte // values that the store lacks; nil deletes
	saveAt    time.Time         // when they are due; zero while nothing changed
}

// New prepares the delivery to a sink. It fails where the sink's settings are
// wrong, or where its state cannot be read. From then on no event is lost to the
// sink, even if Run is called only later.
func New(sink Sink, feed Feed, store Store, options Options) (*Notifier, error) {
	endpoint, err := sink.check()
	if err != nil {
		return nil, fmt.Errorf("webhook sink %q: %w", sink.Name, err)
	}
	transport := options.Transport
	if transport == nil {
		transport = guardedTransport(sink.AllowPrivate, endpoint.Scheme == "http")
	}
	n := &Notifier{
		sink:     sink,
		endpoint: endpoint,
		feed:     feed,
		store:    store,
		client: &http.Client{
			Transport:     transport,
			Timeout:       requestTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		userAgent: strings.TrimSuffix("deskhand/"+options.Version, "/"),
		meter:     options.Meter,
		logger:    options.Logger.With().Str("sink", sink.Name).Logger(),
		wake:      make(chan struct{}, 1),
		room:      make(chan struct{}, 1),
		queue:     make(queue),
		unsaved:   make(map[string][]byte),
	}
	if n.meter == nil {
		n.meter = noMeter{}
	}
	if err := n.load(context.Background(), options.Start); err != nil {
		return nil, fmt.Errorf("webhook sink %q: %w", sink.Name, err)
	}
	return n, nil
}

// Cursor is the name of the sink's cursor, for the ledger's Trim. A stopped sink
// has none: it keeps nothing in the journal.
func (n *Notifier) Cursor() (name string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reader(), n.stop == nil
}

func (n *Notifier) reader() string { return "notify/" + n.sink.Name }

// load takes up where the last process stopped, or registers a new sink.
func (n *Notifier) load(ctx context.Context, start uint64) error {
	cursor, known, err := n.store.LoadReader(ctx, n.reader(), func(key string, value []byte) error {
		switch {
		case key == keyStopped:
			return json.Unmarshal(value, &n.stop)
		case strings.HasPrefix(key, prefixWaiting):
			waiting, err := decodeDelivery(value)
			if err != nil {
				return fmt.Errorf("decode %s: %w", key, err)
			}
			waiting.stored, waiting.saved = true, true
			n.queue.add(waiting)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !known {
		if err := n.store.SaveReader(ctx, n.reader(), start, nil); err != nil {
			return err
		}
		cursor = start
	}
	n.read = cursor
	if n.stop != nil && n.stop.Endpoint != fingerprint(n.sink.URL) {
		n.resume() // another endpoint: the refusal was not its
	}
	return nil
}

type noMeter struct{}

func (noMeter) Delivered(string, error) {}
func (noMeter) DeadLettered(string)     {}
