package intake_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing/intake"
)

// FuzzRead: whatever the bytes, a file is read or refused with a place and a sentence.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		someCustomers, someProducts, someInvoices, somePayments, "", "\ufeff", "\xff\xfe", "external_id\r", "external_id,name\n\"", "a;b\tc,d\n",
		"external_id;name\r\n\"x\"\"\r\ny\";'=1\r\n", "external_id,name\nx,\x00\xff\n", ",\n,\n", "\n\n\n", "name,external_id,name\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		table, err := intake.Read("some.csv", strings.NewReader(content))
		if err == nil {
			if table.Rows() == 0 || table.Shape == "" {
				t.Error("a file without rows or shape is read")
			}
			return
		}
		var refused *intake.Refused
		if !errors.As(err, &refused) || len(refused.Faults) == 0 || len(refused.Faults) > 20 {
			t.Fatalf("it fails with %v", err)
		}
		for _, fault := range refused.Faults {
			if fault.File != "some.csv" || fault.Code == "" || fault.Say == "" || fault.Line < 0 || fault.Line > strings.Count(content, "\n")+strings.Count(content, "\r")+1 {
				t.Errorf("it says %+v", fault)
			}
		}
	})
}
