package page

import (
	"fmt"
	"hash/fnv"
	"time"
)

// Notices is what its reader is told without having looked for it.
type Notices struct {
	Shell
	Items  []NoticeRow
	Unread int
	Read   Act
}

// NoticeRow is one thing that one is told.
type NoticeRow struct {
	URL, Icon, Say string
	At             time.Time
	New            bool // since its reader last looked
}

// Fresh is what a page asks for by itself from time to time.
type Fresh struct {
	Bell   Bell
	URL    string // to ask next time
	Going  string // what is being made: "2 exports, 40 %"; empty for nothing
	GoURL  string // where that stands
	Visits []VisitBanner
	Moved  bool // other visits are open than when the page last asked
}

// Bell leads to the notices.
type Bell struct {
	URL    string
	Unread int
}

// Bell is that of a page before it has asked.
func (s Shell) Bell() Bell { return Bell{URL: s.At("notices")} }

// FreshURL is what a page asks first.
func (s Shell) FreshURL() string { return s.At("fresh") + "?visits=" + VisitsKey(s.Visits) }

// VisitsKey tells banners from others.
func VisitsKey(visits []VisitBanner) string {
	h := fnv.New64a()
	for _, v := range visits {
		fmt.Fprintf(h, "%q %q %q %d %q\n", v.Who, v.May, v.Masks, v.Until.Unix(), v.EndURL)
	}
	return fmt.Sprintf("%x", h.Sum64())
}
