package currency

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about a file of rates.
var (
	ErrFileMalformed = fault.New(fault.Invalid, "exchange_rates.malformed", "This is not a file of the European Central Bank: its first line is Date, USD, JPY and so on.").At("csv")
	ErrFileTooLarge  = fault.New(fault.Invalid, "exchange_rates.too_large", "The file has more than 400,000 rates. Take those since a later day.").At("csv")
)

const maxImported = 400_000

// batch is how many rates one statement writes.
const batch = 5000

// Imported says what an import kept. Skipped are the codes of currencies that there are no more.
type Imported struct {
	Rates       int
	First, Last civil.Date
	Skipped     []string
}

// ImportECB keeps the rates of a file as the European Central Bank publishes them (eurofxref.csv, eurofxref-hist.csv): a
// column for each currency with what one euro is worth, "N/A" or nothing where there is none, and a comma at the end of
// each line. Days before since are left out. What was entered by hand stays. It fails with ErrFileMalformed, which
// names the line, and ErrFileTooLarge; then nothing is kept.
func ImportECB(ctx context.Context, tx *tenant.Tx, file io.Reader, since civil.Date) (Imported, error) {
	all, skipped, err := ReadECB(file, since)
	if err != nil {
		return Imported{}, err
	}
	done := Imported{Rates: len(all), Skipped: skipped}
	for i, r := range all {
		if i == 0 || r.Date.Before(done.First) {
			done.First = r.Date
		}
		if i == 0 || r.Date.After(done.Last) {
			done.Last = r.Date
		}
	}
	for len(all) > 0 {
		n := min(batch, len(all))
		if err := upsertImported(ctx, tx, all[:n]); err != nil {
			return Imported{}, err
		}
		all = all[n:]
	}
	if err := keepLate(ctx, tx); err != nil {
		return Imported{}, err
	}
	return done, tx.Record(ctx, tenant.Act{Action: "exchange_rate.import", Object: "exchange_rate", Detail: fmt.Sprintf("%d rates, %s to %s", done.Rates, done.First, done.Last)})
}

// ReadECB reads a file of the European Central Bank, with the errors of ImportECB. skipped are the codes of the columns
// that are of no active currency.
func ReadECB(file io.Reader, since civil.Date) (all []Rate, skipped []string, err error) {
	in := csv.NewReader(file)
	in.FieldsPerRecord, in.TrimLeadingSpace, in.ReuseRecord = -1, true, true
	head, err := in.Read()
	if err != nil || len(head) < 2 || strings.TrimPrefix(strings.TrimSpace(head[0]), "\ufeff") != "Date" {
		return nil, nil, ErrFileMalformed.Because(err)
	}
	columns := make([]money.Currency, len(head))
	for i, cell := range head[1:] {
		code := strings.TrimSpace(cell)
		known, err := money.ParseCurrency(code)
		if err == nil && known != euro {
			columns[i+1] = known
		} else if code != "" {
			skipped = append(skipped, code)
		}
	}
	for number := 2; ; number++ {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return all, skipped, nil
		} else if err != nil {
			return nil, nil, onLine(number, err)
		}
		date, err := readDay(record[0])
		if err != nil {
			return nil, nil, onLine(number, err)
		}
		if date.Before(since) {
			continue
		}
		if all, err = appendDay(all, columns, date, record); err != nil {
			return nil, nil, onLine(number, err)
		}
		if len(all) > maxImported {
			return nil, nil, ErrFileTooLarge
		}
	}
}

func onLine(number int, err error) error {
	return ErrFileMalformed.Sayf("Line %d is not as in a file of the European Central Bank: a date, then a number or N/A for each currency.", number).Because(err)
}

func appendDay(all []Rate, columns []money.Currency, date civil.Date, record []string) ([]Rate, error) {
	for i := 1; i < len(record); i++ {
		cell := strings.TrimSpace(record[i])
		if cell == "" || cell == "N/A" {
			continue
		}
		if i >= len(columns) {
			return nil, errors.New("more cells than columns")
		}
		if columns[i].IsZero() {
			continue
		}
		rate, err := money.ParseDecimal(cell, RateIntDigits, RateFracDigits)
		if err != nil {
			return nil, err
		}
		if rate.Sign() <= 0 {
			return nil, ErrRateNotPositive
		}
		all = append(all, Rate{Unit: euro, Currency: columns[i], Date: date, Rate: rate, Source: SourceECB})
	}
	return all, nil
}

// readDay reads the two ways in which the files write a day: 2026-11-20, and 20 November 2026 in the daily one.
func readDay(cell string) (civil.Date, error) {
	cell = strings.TrimSpace(cell)
	if day, err := civil.Parse(cell); err == nil {
		return day, nil
	}
	t, err := time.Parse("2 January 2006", cell)
	if err != nil {
		return civil.Date{}, err
	}
	return civil.On(t.Date()), nil
}
