package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskhand/deskhand"
	"go.etcd.io/bbolt"
)

// Managed lists what is known of the tenant's desktops, sorted by configId.
func (l *Ledger) Managed(ctx context.Context, tenant deskhand.Tenant) ([]deskhand.Managed, error) {
	var all []deskhand.Managed
	err := l.db.View(func(tx *bbolt.Tx) error {
		bucket, found := readableTenant(tx, tenant)
		if !found {
			return nil
		}
		return bucket.managed.ForEach(func(key, text []byte) error {
			var one deskhand.Managed
			if err := decode(text, &one); err != nil {
				return fmt.Errorf("decode %s: %w", key, err)
			}
			all = append(all, one)
			return ctx.Err()
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the desktops of %s from the ledger: %w", tenant, err)
	}
	return all, nil
}

// Intend journals the writes that are about to go out, all or none, and returns
// once they are on disk. An intent that is open is replaced: a write that lost a
// race is made again, from what stands then. A ULID keeps Intents in order.
func (l *Ledger) Intend(ctx context.Context, intents []deskhand.Intent) error {
	if len(intents) == 0 {
		return nil
	}
	err := l.update(ctx, func(tx *bbolt.Tx) error {
		for _, intent := range intents {
			bucket, err := writableTenant(tx, intent.Tenant)
			if err != nil {
				return err
			}
			key := []byte(intent.ID)
			if err := put(bucket.intents, key, intent); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("journal %d intents: %w", len(intents), err)
	}
	return nil
}

// Intents lists the tenant's open intents by ID: the writes whose outcome is not
// yet known.
func (l *Ledger) Intents(ctx context.Context, tenant deskhand.Tenant) ([]deskhand.Intent, error) {
	var open []deskhand.Intent
	err := l.db.View(func(tx *bbolt.Tx) error {
		bucket, found := readableTenant(tx, tenant)
		if !found {
			return nil
		}
		return bucket.intents.ForEach(func(key, text []byte) error {
			var intent deskhand.Intent
			if err := decode(text, &intent); err != nil {
				return fmt.Errorf("decode %s: %w", key, err)
			}
			open = append(open, intent)
			return ctx.Err()
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the intents of %s from the ledger: %w", tenant, err)
	}
	return open, nil
}

// Settle closes intents, journals their records and keeps where the desktops
// stand, all in one transaction; it returns once that is on disk. The caller's
// records are not changed. The error wraps ErrNoIntent where an intent is not
// open, and then nothing is settled.
func (l *Ledger) Settle(ctx context.Context, tenant deskhand.Tenant, settlements []deskhand.Settlement) error {
	if len(settlements) == 0 {
		return nil
	}
	err := l.update(ctx, func(tx *bbolt.Tx) error {
		bucket, err := writableTenant(tx, tenant)
		if err != nil {
			return err
		}
		for _, settlement := range settlements {
			if err := l.settle(tx, bucket, tenant, settlement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle %d outcomes of %s: %w", len(settlements), tenant, err)
	}
	return nil
}

func (l *Ledger) settle(tx *bbolt.Tx, bucket tenantBucket, tenant deskhand.Tenant, settlement deskhand.Settlement) error {
	if err := closeIntent(bucket, settlement.IntentID); err != nil {
		return err
	}
	switch {
	case settlement.Forget:
		configID, err := forgotten(settlement)
		if err != nil {
			return err
		}
		if err := bucket.managed.Delete([]byte(configID)); err != nil {
			return fmt.Errorf("forget %s: %w", configID, err)
		}
	case settlement.Managed != nil:
		if err := put(bucket.managed, []byte(settlement.Managed.ConfigID), settlement.Managed); err != nil {
			return fmt.Errorf("keep desktop %q: %w", settlement.Managed.ConfigID, err)
		}
	}
	if settlement.Record == nil {
		return nil
	}
	entry := deskhand.Entry{Record: *settlement.Record, Removed: settlement.Forget}
	if !settlement.Forget {
		entry.Managed = settlement.Managed
	}
	return l.journal(tx, bucket, tenant, entry)
}

// closeIntent removes the intent, which must be open; no id is no intent.
func closeIntent(bucket tenantBucket, id string) error {
	switch {
	case id == "":
		return nil
	case bucket.intents.Get([]byte(id)) == nil:
		return fmt.Errorf("intent %s: %w", id, ErrNoIntent)
	default:
		return bucket.intents.Delete([]byte(id))
	}
}

// forgotten is the id of the desktop that a settlement ends the management of.
func forgotten(settlement deskhand.Settlement) (configID string, err error) {
	switch {
	case settlement.Managed != nil:
		return settlement.Managed.ConfigID, nil
	case settlement.Record != nil:
		return settlement.Record.ConfigID, nil
	default:
		return "", errors.New("a settlement does not name the desktop that it forgets")
	}
}

// journal completes the entry's record, links it to the tenant's chain, and
// appends it.
func (l *Ledger) journal(tx *bbolt.Tx, bucket tenantBucket, tenant deskhand.Tenant, entry deskhand.Entry) error {
	now := l.now()
	id, err := l.ids.next(now)
	if err != nil {
		return err
	}
	record := normalised(entry.Record)
	record.ID = id
	record.Prev = string(bucket.own.Get(keyHead))
	record.Time = now.UTC().Truncate(time.Millisecond)
	record.Tenant = tenant
	record.Actor = l.actor
	entry.Record = record
	if entry.Hash, err = HashRecord(record); err != nil {
		return err
	}
	entries := tx.Bucket(bucketJournal)
	if entry.Seq, err = entries.NextSequence(); err != nil {
		return fmt.Errorf("number record %s: %w", id, err)
	}
	if err := put(entries, seqKey(entry.Seq), entry); err != nil {
		return fmt.Errorf("journal record %s: %w", id, err)
	}
	return bucket.own.Put(keyHead, []byte(entry.Hash))
}

// Restore fills a tenant that the ledger does not know yet with what an Auditor
// loaded. The chain of records goes on from recordHead. The error wraps
// ErrNotEmpty where the tenant is known.
func (l *Ledger) Restore(ctx context.Context, tenant deskhand.Tenant, managed []deskhand.Managed, recordHead string) error {
	err := l.update(ctx, func(tx *bbolt.Tx) error {
		bucket, err := writableTenant(tx, tenant)
		if err != nil {
			return err
		}
		if !bucket.isEmpty() {
			return ErrNotEmpty
		}
		var problems []error
		for _, one := range managed {
			problems = append(problems, put(bucket.managed, []byte(one.ConfigID), one))
		}
		if recordHead != "" {
			problems = append(problems, bucket.own.Put(keyHead, []byte(recordHead)))
		}
		return errors.Join(problems...)
	})
	if err != nil {
		return fmt.Errorf("restore %s into the ledger: %w", tenant, err)
	}
	return nil
}

func (b tenantBucket) isEmpty() bool {
	desktop, _ := b.managed.Cursor().First()
	intent, _ := b.intents.Cursor().First()
	return desktop == nil && intent == nil && b.own.Get(keyHead) == nil
}
