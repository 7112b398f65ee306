package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// sink is the service desk. It takes events whose signature is right, and writes
// each delivery as a line of a file.
type sink struct {
	file string

	mutex  sync.Mutex
	events []demoEvent // distinct by id, in the order of arrival
	forged int
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, event, err := readEvent(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.take(body, event, r.Header); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *sink) take(body []byte, event demoEvent, header http.Header) error {
	verifier, err := webhooks.NewWebhook(canaryHookSecret())
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := verifier.Verify(body, header); err != nil {
		s.forged++
		return err
	}
	file, err := os.OpenFile(s.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, strings.TrimSpace(string(body))+"\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	for _, known := range s.events {
		if known.ID == event.ID {
			return nil
		}
	}
	s.events = append(s.events, event)
	return nil
}

// of lists the events whose type ends in the given word, * for any, about one
// desktop or, with "", about all.
func (s *sink) of(word, configID string) []demoEvent {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found []demoEvent
	for _, event := range s.events {
		if (word == "*" || strings.HasSuffix(event.Type, "."+word)) && (configID == "" || event.Subject == configID) {
			found = append(found, event)
		}
	}
	return found
}

func (s *sink) forgeries() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.forged
}

// events TYPE N [ID] expects so many distinct events at the service desk.
func eventsAre(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 && len(args) != 3 {
		return errors.New("usage: events TYPE N [ID]")
	}
	configID := ""
	if len(args) == 3 {
		configID = args[2]
	}
	return numberIs(args[0]+" events", len(w.sink.of(args[0], configID)), args[1])
}
