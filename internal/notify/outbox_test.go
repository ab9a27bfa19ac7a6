package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestOutbox(t *testing.T) {
	t.Parallel()
	t.Run("keeps the newest 200, newest first", func(t *testing.T) {
		t.Parallel()
		var o Outbox
		for n := range 450 {
			if err := o.Send(context.Background(), Mail{To: "mara@tidewater.example", Subject: fmt.Sprint("mail ", n)}); err != nil {
				t.Fatal(err)
			}
		}
		all := o.All()
		if len(all) != 200 {
			t.Fatalf("it holds %d mails", len(all))
		}
		for n, m := range all {
			if want := fmt.Sprint("mail ", 449-n); m.Subject != want || m.At.IsZero() {
				t.Fatalf("mail %d is %q at %v, want %q", n, m.Subject, m.At, want)
			}
		}
	})
	t.Run("takes mails from many at once", func(t *testing.T) {
		t.Parallel()
		var o Outbox
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if err := o.Send(context.Background(), Mail{To: "mara@tidewater.example", Subject: "Hello"}); err != nil {
					t.Error(err)
				}
				o.All()
			})
		}
		all.Wait()
		if n := len(o.All()); n != 50 {
			t.Errorf("%d of 50 arrived", n)
		}
	})
	t.Run("refuses what could not be sent", func(t *testing.T) {
		t.Parallel()
		var o Outbox
		for _, m := range forged {
			if err := o.Send(context.Background(), m); !errors.Is(err, ErrMalformed) {
				t.Errorf("%q, %q: got %v", m.To, m.Subject, err)
			}
		}
		if len(o.All()) != 0 {
			t.Error("it kept one")
		}
	})
}

// forged mails would write headers or recipients of their own.
var forged = []Mail{
	{To: "mara@tidewater.example\r\nBcc: all@tidewater.example", Subject: "Hello"},
	{To: "mara@tidewater.example, all@tidewater.example", Subject: "Hello"},
	{To: "Mara <mara@tidewater.example>", Subject: "Hello"},
	{To: "mara@tidewater.example>\r\nRCPT TO:<all@tidewater.example", Subject: "Hello"},
	{To: "\"mara\r\n\"@tidewater.example", Subject: "Hello"},
	{To: "mara", Subject: "Hello"},
	{To: "", Subject: "Hello"},
	{To: "mara@tidewater.example", Subject: "Hello\r\nBcc: all@tidewater.example"},
	{To: "mara@tidewater.example", Subject: "Hello\nBcc: all@tidewater.example"},
	{To: "mara@tidewater.example", Subject: "Hello\rBcc: all@tidewater.example"},
	{To: "mara@tidewater.example", Subject: "Hello\x00"},
	{To: "mara@tidewater.example", Subject: "Hello \xff"},
	{To: "mara@tidewater.example", Subject: ""},
}
