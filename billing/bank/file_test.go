package bank_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/countinghouse/countinghouse/billing/bank"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/fault"
)

var eur = money.MustCurrency("EUR")

const sgml = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nENCODING:USASCII\r\nCHARSET:1252\r\n\r\n" +
	"<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR\r\n<BANKACCTFROM><BANKID>900000<ACCTID>IE29AIBK93115212345678<ACCTTYPE>CHECKING</BANKACCTFROM>\r\n" +
	"<BANKTRANLIST><DTSTART>20261101<DTEND>20261103\r\n" +
	"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261102120000[0:GMT]<TRNAMT>+1240.00<FITID>A1<NAME>Caf\xe9 M\xfcller &amp; Co<MEMO>INV-0001\r\n</STMTTRN>\r\n" +
	"<STMTTRN>\r\n<TRNTYPE>DEBIT\r\n<DTPOSTED>20261103\r\n<TRNAMT>-12,5\r\n<FITID>A2\r\n<CHECKNUM>77\r\n<MEMO>Fee\r\n<BANKACCTTO><ACCTID>1111</BANKACCTTO></STMTTRN>\r\n" +
	"<STMTTRN><TRNTYPE>OTHER<DTPOSTED>20261103<TRNAMT>0.00<FITID>A3</STMTTRN>\r\n" +
	"</BANKTRANLIST><LEDGERBAL><BALAMT>2227.50<DTASOF>20261103</LEDGERBAL><AVAILBAL><BALAMT>9.99<DTASOF>20261103</AVAILBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"

const xml2 = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
<OFX><!-- a bank's word <STMTTRN> --><CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>EUR</CURDEF><CCACCTFROM><ACCTID>4111-1111</ACCTID></CCACCTFROM>
<BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20261102</DTPOSTED><TRNAMT>-3.10</TRNAMT><FITID>NONREF</FITID>
<PAYEE><NAME>Kiosk</NAME><CITY>Cork</CITY></PAYEE><MEMO><![CDATA[A <b> & c]]></MEMO></STMTTRN></BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>`

func camt(version string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.` + version + `"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr>
<Stmt><Id>1</Id><Acct><Id><IBAN>IE29AIBK93115212345678</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-01</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1200.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-02</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">250.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>` + status(version) + `</Sts><BookgDt><Dt>2026-11-02</Dt></BookgDt><AcctSvcrRef>S-1</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr>` + name(version, "Halden Optics") + `</Dbtr><Cdtr>` + name(version, "Tidewater") + `</Cdtr></RltdPties>
<RmtInf><Ustrd>Invoice INV-</Ustrd><Ustrd>0042</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>` + status(version) + `</Sts><BookgDt><DtTm>2026-11-02T09:00:00+01:00</DtTm></BookgDt><AddtlNtryInf>Card fee</AddtlNtryInf></Ntry>
<Ntry><Amt Ccy="EUR">7.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>` + strings.Replace(status(version), "BOOK", "PDNG", 1) + `</Sts><BookgDt><Dt>2026-11-02</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>`
}

func status(version string) string {
	if version < "08" {
		return "BOOK"
	}
	return "<Cd>BOOK</Cd>"
}

func name(version, s string) string {
	if version < "08" {
		return "<Nm>" + s + "</Nm>"
	}
	return "<Pty><Nm>" + s + "</Nm></Pty>"
}

// lines writes what was read, a line each.
func lines(f bank.File) string {
	var b strings.Builder
	for _, l := range f.Lines {
		fmt.Fprintf(&b, "%s %s [%s] %s | %s | %s\n", l.Date, l.Amount, l.BankID, l.PartyName, l.Memo, l.Reference)
	}
	return b.String()
}

func mustRead(t *testing.T, content string, w bank.Wanted, m *bank.Mapping) bank.File {
	t.Helper()
	f, err := bank.Read("some.file", []byte(content), w, m)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRead_OFX(t *testing.T) {
	t.Parallel()
	want := "2026-11-02 1240.00 [A1] Café Müller & Co | INV-0001 | \n2026-11-03 -12.50 [A2]  | Fee | 77\n"
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(strings.ReplaceAll(sgml, "\xe9", "é"), "\xfc", "ü"))
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{sgml, strings.ReplaceAll(sgml, "\r\n", "\n"), utf16} {
		f := mustRead(t, content, bank.Wanted{Currency: eur, LastFour: "5678"}, nil)
		if got := lines(f); got != want {
			t.Errorf("the lines are\n%s", got)
		}
		if f.Closing == nil || f.Closing.Amount.String() != "2227.50" || f.Closing.Date.String() != "2026-11-03" || f.LeftOut != 1 || f.Number != "IE29AIBK93115212345678" {
			t.Errorf("it says %+v", f)
		}
	}
	if got := lines(mustRead(t, xml2, bank.Wanted{Currency: eur}, nil)); got != "2026-11-02 -3.10 [] Kiosk | A <b> & c | \n" {
		t.Errorf("of OFX 2 the lines are\n%s", got)
	}
}

func TestRead_CAMT(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"02", "03", "04", "06", "08"} {
		f := mustRead(t, camt(version), bank.Wanted{Currency: eur, LastFour: "5678"}, nil)
		want := "2026-11-02 250.50 [S-1] Halden Optics | Invoice INV- 0042 | \n2026-11-02 -50.00 []  | Card fee | \n"
		if got := lines(f); got != want {
			t.Errorf("in version %s the lines are\n%s", version, got)
		}
		if f.Opening == nil || f.Opening.Amount.String() != "1000.00" || f.Closing == nil || f.Closing.Amount.String() != "1200.50" || f.LeftOut != 1 {
			t.Errorf("version %s says %+v", version, f)
		}
	}
}

func TestRead_CSV_by_guessing(t *testing.T) {
	t.Parallel()
	german, err := charmap.Windows1252.NewEncoder().String("Kontoauszug;;;;\r\nKonto;DE12;;;\r\n\r\nBuchungstag;Valuta;Empfänger;Verwendungszweck;Betrag;Saldo\r\n" +
		"03.11.2026;03.11.2026;Müller;\"Rechnung; 17\";-1.234,50;8,00\r\n02.11.2026;02.11.2026;Grün;Lohn;2.000,00 €;9,00\r\n;;;Summe;;\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ content, want string }{
		"German, in its code page": {german, "2026-11-03 -1234.50 [] Müller | Rechnung; 17 | \n2026-11-02 2000.00 [] Grün | Lohn | \n"},
		"British, in and out": {"\ufeffDate,Description,Paid out,Paid in,Balance\n31/10/2026,SHOP,\"1,250.00\",,10.00\n01/11/2026,SALARY,,3.10,20.00\n",
			"2026-10-31 -1250.00 [] SHOP |  | \n2026-11-01 3.10 [] SALARY |  | \n"},
		"American, months first and out of order": {"Transaction Date,Post Date,Description,Amount\n11/03/2026,11/04/2026,COFFEE,-4.5\n11/02/2026,11/02/2026,TEA,(3.00)\n11/01/2026,11/01/2026,PAY,\"$1,000.00\"\n",
			"2026-11-03 -4.50 [] COFFEE |  | \n2026-11-02 -3.00 [] TEA |  | \n2026-11-01 1000.00 [] PAY |  | \n"},
		"no heads": {"2026-11-01\tRent for a month\t-900\n2026-11-02\tSale\t12.30\n", "2026-11-01 -900.00 [] Rent for a month |  | \n2026-11-02 12.30 [] Sale |  | \n"},
		"Excel":    {"sep=;\nDate;Text;Amount\n2026-11-01;A;1,5\n", "2026-11-01 1.50 [] A |  | \n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := lines(mustRead(t, c.content, bank.Wanted{Currency: eur}, nil))
			// Which column is whose matters little to the reader: it is what stands there.
			want := c.want
			if !strings.Contains(name, "German") {
				want = strings.ReplaceAll(want, "[] ", "[]  | ")
				want = strings.ReplaceAll(want, " |  | \n", " | \n")
			}
			if got != want {
				t.Errorf("the lines are\n%swant\n%s", got, want)
			}
		})
	}
}

func TestRead_refuses(t *testing.T) {
	t.Parallel()
	own := bank.Wanted{Currency: eur, LastFour: "5678"}
	for name, c := range map[string]struct {
		content string
		wanted  bank.Wanted
		want    error
		says    string
	}{
		"nothing":              {"", own, bank.ErrEmpty, ""},
		"a picture":            {"\x89PNG\r\n\x1a\n", own, bank.ErrFormat, ""},
		"a page":               {"<html><body>Log in</body></html>", own, bank.ErrFormat, ""},
		"a PDF":                {"%PDF-1.7", own, bank.ErrFormat, ""},
		"NUL":                  {"Date,Amount\n2026-11-01,1\n\x00", own, bank.ErrFile, "some.csv, line 3, column 1"},
		"another account":      {sgml, bank.Wanted{Currency: eur, LastFour: "0000"}, bank.ErrOtherAccount, ""},
		"another currency":     {sgml, bank.Wanted{Currency: money.MustCurrency("USD")}, bank.ErrOtherMoney, "EUR"},
		"half a file":          {sgml[:strings.Index(sgml, "<FITID>A2")], own, bank.ErrFile, "some.csv, line 12, column 1"},
		"no amount":            {strings.Replace(sgml, "<TRNAMT>-12,5", "", 1), own, bank.ErrFile, "TRNAMT"},
		"too many decimals":    {strings.Replace(sgml, "-12,5\r", "-12.505\r", 1), own, bank.ErrFile, "at most 2 decimals"},
		"an exponent":          {strings.Replace(sgml, "-12,5\r", "1e9\r", 1), own, bank.ErrFile, "is no amount"},
		"no day":               {strings.Replace(sgml, "20261103\r\n<TRNAMT>", "20261399\r\n<TRNAMT>", 1), own, bank.ErrFile, "line 14"},
		"an entity bomb":       {strings.Replace(camt("02"), "<Document", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Document`, 1), own, bank.ErrFile, "declarations"},
		"an entity of its own": {strings.Replace(camt("02"), "Card fee", "&b;", 1), own, bank.ErrFile, "well formed"},
		"OFX with an entity":   {strings.Replace(xml2, "<OFX>", `<!DOCTYPE x [<!ENTITY a "a">]><OFX>`, 1), bank.Wanted{Currency: eur}, bank.ErrFile, "declarations"},
		"depth":                {strings.Replace(camt("02"), "<GrpHdr>", strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100)+"<GrpHdr>", 1), own, bank.ErrFile, "deeper"},
		"no direction":         {strings.Replace(camt("02"), "<CdtDbtInd>DBIT", "<CdtDbtInd>BOTH", 1), own, bank.ErrFile, "CdtDbtInd"},
		"two currencies":       {strings.Replace(camt("02"), `<Amt Ccy="EUR">50<`, `<Amt Ccy="USD">50<`, 1), own, bank.ErrFile, "USD"},
		"a bad row":            {"Date,Text,Amount\n2026-11-01,A,1.00\n2026-11-02,B,one\n", own, bank.ErrFile, "some.csv, line 3, column 3"},
		"a bad day":            {"Date,Text,Amount\n2026-11-01,A,1.00\n\n2026-11-02,B,1\nlater,C,2.00\n", own, bank.ErrFile, "some.csv, line 5, column 1"},
		"an open quote":        {"Date,Text,Amount\n2026-11-01,A,1.00\n2026-11-02,\"B,1\n", own, bank.ErrFile, "line 3"},
		"heads alone":          {"Date,Text,Amount\n", own, nil, ""},
		"too many lines":       {"Date,Text,Amount\n" + strings.Repeat("2026-11-01,A,1.00\n", 20_001), own, bank.ErrTooLarge, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bank.Read("some.csv", []byte(c.content), c.wanted, nil)
			var f *fault.Error
			if !errors.As(err, &f) || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(f.Say, c.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// FuzzRead: whatever the bytes, a file is read whole, within its bounds, or refused with a sentence.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{sgml, xml2, camt("02"), camt("08"), "Date,Amount\n2026-11-01,1\n", "\xff\xfea\x00", "<OFX><STMTRS><STMTTRN><TRNAMT>1<DTPOSTED>2026110", "sep=;\na;b\n",
		"1.1.2026;\"", "<OFX></STMTTRN><![CDATA[", "a|b|c\n01.02.26|-,5|+.5\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		read, err := bank.Read("some.csv", content, bank.Wanted{Currency: eur}, nil)
		if err != nil {
			var refused *fault.Error
			if !errors.As(err, &refused) || refused.Say == "" {
				t.Fatalf("it fails with %v", err)
			}
			return
		}
		if len(read.Lines) == 0 {
			t.Error("a file without lines is read")
		}
		for _, l := range read.Lines {
			if l.Date.IsZero() || l.Amount.IsZero() || l.Amount.CheckSize() != nil || l.Amount.Currency != eur || len([]rune(l.Memo)) > 240 || strings.ContainsAny(l.Memo+l.PartyName+l.Reference, "\x00\r\n") {
				t.Errorf("it reads %+v", l)
			}
		}
	})
}
