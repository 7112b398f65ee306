package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/deskhand/deskhand"
	"go.etcd.io/bbolt"
)

// The layout of the file:
//
//	journal/<seq>                      an Entry
//	cursors/<reader>                   a seq
//	readers/<reader>/<key>             a reader's own values
//	tenants/<tenant>/managed/<configId>
//	tenants/<tenant>/intents/<id>
//	tenants/<tenant>/head              the hash of the tenant's newest record
var (
	bucketJournal = []byte("journal")
	bucketCursors = []byte("cursors")
	bucketReaders = []byte("readers")
	bucketTenants = []byte("tenants")
	bucketManaged = []byte("managed")
	bucketIntents = []byte("intents")
	keyHead       = []byte("head")
)

var errNoTenant = errors.New("the tenant has no name")

// tenantBucket is the part of the file that belongs to one tenant.
type tenantBucket struct {
	own, managed, intents *bbolt.Bucket
}

// writableTenant opens the tenant's bucket and makes it where it is new.
func writableTenant(tx *bbolt.Tx, tenant deskhand.Tenant) (tenantBucket, error) {
	if tenant == "" {
		return tenantBucket{}, errNoTenant
	}
	own, err := tx.Bucket(bucketTenants).CreateBucketIfNotExists([]byte(tenant))
	if err != nil {
		return tenantBucket{}, err
	}
	managed, err := own.CreateBucketIfNotExists(bucketManaged)
	if err != nil {
		return tenantBucket{}, err
	}
	intents, err := own.CreateBucketIfNotExists(bucketIntents)
	if err != nil {
		return tenantBucket{}, err
	}
	return tenantBucket{own: own, managed: managed, intents: intents}, nil
}

// readableTenant reports false for a tenant that was never written.
func readableTenant(tx *bbolt.Tx, tenant deskhand.Tenant) (tenantBucket, bool) {
	own := tx.Bucket(bucketTenants).Bucket([]byte(tenant))
	if own == nil {
		return tenantBucket{}, false
	}
	return tenantBucket{own: own, managed: own.Bucket(bucketManaged), intents: own.Bucket(bucketIntents)}, true
}

// put stores the value as JSON.
func put(bucket *bbolt.Bucket, key []byte, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	return bucket.Put(key, text)
}

// decode reads what put stored. Numbers of documents keep all their digits.
func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// seqKey sorts as the number does.
func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func seqOf(key []byte) uint64 {
	if len(key) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key)
}
