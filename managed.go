package deskhand

import "time"

// Managed is what deskhand knows of one desktop between two reconciles.
type Managed struct {
	ConfigID string `json:"configId"`
	File     string `json:"file"`
	Tier     Tier   `json:"tier"`
	// Base is the document last agreed with CXone; none before the first
	// agreement.
	Base Document `json:"base"`
	// Live is what CXone held when last seen, server-managed fields left out.
	Live  Document  `json:"live"`
	ETag  ETag      `json:"etag"` // of Live; "" where CXone holds nothing
	State State     `json:"state"`
	Since time.Time `json:"since"` // when State was entered
	// Commit is the SHA under which Base was agreed.
	Commit string `json:"commit"`
	// Reported is the key of the transition that was last told, so that each is
	// told once.
	Reported string `json:"reported,omitempty"`
	Error    string `json:"error,omitempty"`
	// Echo is what CXone made of deskhand's last write.
	Echo Echo `json:"echo,omitzero"`
}

// Echo tells values that CXone stored otherwise than they were sent, such as
// "114.0" for "114". Both documents hold these values alone, at the same places; a
// value that CXone dropped is in Sent only. The zero Echo is no difference.
type Echo struct {
	Sent Document `json:"sent"`
	Got  Document `json:"got"`
}

// Status is what the outside may know of the desktop.
func (m Managed) Status() DesktopStatus {
	return DesktopStatus{
		ConfigID: m.ConfigID, File: m.File, Tier: m.Tier,
		State: m.State, ETag: m.ETag, Since: m.Since, Error: m.Error,
	}
}

// Intent is a write that is about to go out. It is on disk before the write and
// until its outcome is, so that no crash can leave a write without a record.
type Intent struct {
	ID        string    `json:"id"`
	Tenant    Tenant    `json:"tenant"`
	Time      time.Time `json:"time"`
	Commit    Commit    `json:"commit"`
	Trigger   Trigger   `json:"trigger"`
	RequestID string    `json:"requestId"`
	Change    Change    `json:"change"`
}

// Settlement closes an intent, or reports something that needed none.
type Settlement struct {
	IntentID string // "" where there was no intent
	// Record is nil where the intent came to nothing. Its ID, Prev and the
	// chain are the ledger's to fill in.
	Record *Record
	// Managed is the desktop from now on; nil where nothing changed about it.
	Managed *Managed
	// Forget means that the desktop that Managed, or else Record, names is managed
	// no longer.
	Forget bool
}
