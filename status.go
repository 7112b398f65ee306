package deskhand

import "time"

// Status is what is live, since when, and by whose commit.
type Status struct {
	Tenants []TenantStatus `json:"tenants"`
}

// TenantStatus is one tenant's part of a Status.
type TenantStatus struct {
	Name Tenant `json:"name"`
	// LastApplied is the revision that last was applied without an error,
	// LastAttempted the one last tried; "" for none.
	LastApplied   string          `json:"lastApplied"`
	LastAttempted string          `json:"lastAttempted"`
	Error         string          `json:"error,omitempty"` // of the last attempt as a whole
	Desktops      []DesktopStatus `json:"desktops"`
}

// DesktopStatus is where one desktop stands.
type DesktopStatus struct {
	ConfigID string    `json:"configId"`
	File     string    `json:"file"`
	Tier     Tier      `json:"tier"`
	State    State     `json:"state"`
	ETag     ETag      `json:"etag"`
	Since    time.Time `json:"since"`
	Error    string    `json:"error"`
}
