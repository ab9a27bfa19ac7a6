package web

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

const (
	// keptImport is the kind of a CSV file that waits until somebody has said how it is read.
	keptImport file.Kind = "import"

	// previewLines is how many lines of a file are shown before it is taken, sampleRows how many rows name its columns.
	previewLines = 10
	sampleRows   = 6
)

// sendBankFile takes a file that says itself how it is read, and keeps a CSV file until its reader has seen how it would be.
func sendBankFile(v *visit) error {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return err
	}
	var done bank.Imported
	waits := false
	return v.upload(func(tx *tenant.Tx, _ url.Values, f uploaded) (uuid.UUID, error) {
		a, err := bank.AccountByID(v.ctx, tx, i)
		if err != nil {
			return uuid.Nil, err
		}
		if waits, err = bank.IsCSV(f.name, f.bytes); err != nil {
			return uuid.Nil, err
		}
		if waits {
			return keepCSV(v.ctx, tx, a, f)
		}
		read, err := bank.Read(f.name, f.bytes, bank.Wanted{Currency: a.Currency, LastFour: a.LastFour}, nil)
		if err != nil {
			return uuid.Nil, err
		}
		done, err = bank.ImportFile(v.ctx, tx, i, read)
		return uuid.Nil, err
	}, func(kept uuid.UUID) string {
		if kept != uuid.Nil {
			return v.at("bank", i.String(), "files", kept.String())
		}
		say(v.c, importedSay(done))
		return v.at("bank", i.String())
	}, func(form page.Form) error {
		return showBank(v, http.StatusUnprocessableEntity, i, page.Form{Faults: form.Faults})
	})
}

// keepCSV keeps a file in the place of one that was never taken.
func keepCSV(ctx context.Context, tx *tenant.Tx, a bank.Account, f uploaded) (uuid.UUID, error) {
	text, err := bank.Text(f.name, f.bytes)
	if err != nil {
		return uuid.Nil, err
	}
	earlier, err := file.Of(ctx, tx, a.ID.UUID)
	if err != nil {
		return uuid.Nil, err
	}
	for _, e := range earlier {
		if _, err := file.Remove(ctx, tx, e.ID); err != nil {
			return uuid.Nil, err
		}
	}
	name := []rune(strings.TrimSuffix(f.name, path.Ext(f.name)))
	kept, err := file.Keep(ctx, tx, file.Input{Kind: keptImport, Subject: a.ID.UUID, Name: string(name[:min(len(name), 100)]) + ".csv", Bytes: []byte(text)})
	return kept.ID.UUID, err
}

// importedSay tells what became of a file.
func importedSay(done bank.Imported) string {
	said := "Nothing new: all lines were there already"
	if done.Added == 1 {
		said = "1 line added"
	} else if done.Added > 1 {
		said = strconv.Itoa(done.Added) + " lines added"
	}
	if done.Added > 0 && done.Known > 0 {
		said += ", " + strconv.Itoa(done.Known) + " were there already"
	}
	if done.Booked > 0 {
		said += ", " + strconv.Itoa(done.Booked) + " booked by your rules"
	}
	if done.Early > 0 {
		said += ", " + strconv.Itoa(done.Early) + " left out because they lie before the days that are reconciled"
	}
	return said
}

// keptCSV is the file of the path that waits for its account.
func keptCSV(v *visit, tx *tenant.Tx) (a bank.Account, f file.File, content []byte, err error) {
	i, err := idParam[ledger.Account](v, "id")
	if err != nil {
		return a, f, nil, err
	}
	wanted, err := idParam[file.File](v, "file")
	if err != nil {
		return a, f, nil, err
	}
	if a, err = bank.AccountByID(v.ctx, tx, i); err != nil {
		return a, f, nil, err
	}
	if f, err = file.ByID(v.ctx, tx, wanted); err != nil {
		return a, f, nil, err
	}
	if f.Kind != keptImport || f.Subject != a.ID.UUID {
		return a, f, nil, file.ErrNotFound
	}
	content, err = file.Read(v.ctx, tx, f)
	return a, f, content, err
}

func showBankImport(v *visit, status int, sent *page.Form) error {
	return v.show(status, "bank-import", func(tx *tenant.Tx) (any, error) {
		a, f, content, err := keptCSV(v, tx)
		if err != nil {
			return nil, err
		}
		data := page.BankImport{Action: v.at("bank", a.ID.String(), "files", f.ID.String()), Account: a, FileName: f.Name}
		if data.Shell, err = v.frame(tx, "Import "+f.Name, "bank"); err != nil {
			return nil, err
		}
		m, err := mappingFor(a, f.Name, content)
		if err != nil {
			return nil, err
		}
		data.Form = orFresh(sent, func() page.Form { return mappingForm(m) })
		data.Form.Key = newFormKey()
		if sent != nil {
			if m, err = mappingOf(sent.Values); err == nil {
				err = m.Check()
			}
		}
		if err == nil {
			err = previewBank(v, tx, &data, m, content)
		}
		if err != nil && len(data.Form.Faults) == 0 && !data.Form.Refused(err) {
			return nil, err
		}
		data.Form.Move("file", "")
		divider := m.Divider
		if m.DividerName() == "" {
			divider = ','
		}
		rows, err := bank.Sample(f.Name, content, divider, max(0, min(m.Skip, 100))+sampleRows)
		if err == nil {
			data.Columns = page.BankColumns(rows[max(0, min(m.Skip-1, len(rows))):])
		}
		return data, nil
	})
}

// previewBank reads a file as it would be taken.
func previewBank(v *visit, tx *tenant.Tx, data *page.BankImport, m bank.Mapping, content []byte) error {
	read, err := bank.Read(data.FileName, content, bank.Wanted{Currency: data.Account.Currency, LastFour: data.Account.LastFour}, &m)
	if err != nil {
		return err
	}
	if data.Done, err = bank.Preview(v.ctx, tx, data.Account.ID, read); err != nil {
		return err
	}
	data.Lines, data.Readable = read.Lines[:min(len(read.Lines), previewLines)], true
	return nil
}

// mappingFor is how an account's last file was read, if this one can be; otherwise a guess.
func mappingFor(a bank.Account, name string, content []byte) (bank.Mapping, error) {
	if a.Mapping != nil {
		if _, err := bank.Read(name, content, bank.Wanted{Currency: a.Currency}, a.Mapping); err == nil {
			return *a.Mapping, nil
		}
	}
	return bank.Guess(name, content)
}

func sendBankImport(v *visit) error {
	sent, err := readForm(v.c)
	if err != nil {
		return err
	}
	if sent.Get("action") != "import" {
		form := keyed(page.FormOf(sent))
		return showBankImport(v, http.StatusOK, &form)
	}
	var done bank.Imported
	return v.perform(sent, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) {
		a, f, content, err := keptCSV(v, tx)
		if err != nil {
			return uuid.Nil, err
		}
		m, err := mappingOf(sent)
		if err != nil {
			return uuid.Nil, err
		}
		read, err := bank.Read(f.Name, content, bank.Wanted{Currency: a.Currency, LastFour: a.LastFour}, &m)
		if err != nil {
			return uuid.Nil, err
		}
		if err := bank.KeepMapping(v.ctx, tx, a.ID, m); err != nil {
			return uuid.Nil, err
		}
		if done, err = bank.ImportFile(v.ctx, tx, a.ID, read); err != nil {
			return uuid.Nil, err
		}
		_, err = file.Remove(v.ctx, tx, f.ID)
		return uuid.Nil, err
	}, func(uuid.UUID) string {
		say(v.c, importedSay(done))
		return v.at("bank", v.c.Params("id"))
	}, func(form page.Form) error { return showBankImport(v, http.StatusUnprocessableEntity, &form) })
}

// mappingForm is a mapping as a form sends it.
func mappingForm(m bank.Mapping) page.Form {
	column := func(c bank.Column) string {
		if c == 0 {
			return ""
		}
		return strconv.Itoa(int(c))
	}
	f := page.NewForm("divider", m.DividerName(), "skip", strconv.Itoa(m.Skip), "date", column(m.Date), "date_format", m.DateFormat, "amount", column(m.Amount),
		"in", column(m.In), "out", column(m.Out), "memo", column(m.Memo), "more", column(m.More), "party", column(m.Party), "reference", column(m.Reference), "id", column(m.ID))
	if m.Comma {
		f.Values.Set("comma", "yes")
	}
	if m.Turned {
		f.Values.Set("turned", "yes")
	}
	return f
}

// mappingOf reads what mappingForm writes.
func mappingOf(sent url.Values) (bank.Mapping, error) {
	m := bank.Mapping{Divider: bank.Dividers()[sent.Get("divider")], DateFormat: sent.Get("date_format"), Comma: sent.Get("comma") != "", Turned: sent.Get("turned") != ""}
	var faults fault.List
	m.Skip = wholeNumber(sent, "skip", &faults)
	for name, c := range map[string]*bank.Column{"date": &m.Date, "amount": &m.Amount, "in": &m.In, "out": &m.Out, "memo": &m.Memo, "more": &m.More,
		"party": &m.Party, "reference": &m.Reference, "id": &m.ID} {
		*c = bank.Column(wholeNumber(sent, name, &faults))
	}
	return m, faults.Err()
}
