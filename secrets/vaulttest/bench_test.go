package vaulttest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/secretstest"
)

// BenchmarkVault compares the keyring with the bare HTTP call that does the same: its body made beforehand, its answer
// read and thrown away. The two take turns, so that a busy machine slows both. "ratio" is the bare call's time by
// the keyring's: 1 would be a keyring that costs nothing.
func BenchmarkVault(b *testing.B) {
	keyring, err := secrets.NewVault(shared.config())
	if err != nil {
		b.Fatal(err)
	}
	organization := secretstest.NewOrganization()
	if err := keyring.CreateKey(context.Background(), organization); err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 100} {
		plain := make([]secrets.Plain, n)
		for i := range plain {
			plain[i] = secrets.Plain{Plaintext: []byte("DE89370400440532013000"),
				Place: secrets.Place{Organization: organization, Table: "payment_method", Column: "sealed", Row: fmt.Sprint(i)}}
		}
		sealed := make([]secrets.Sealed, n)
		for i, result := range keyring.SealAll(context.Background(), plain) {
			if result.Err != nil {
				b.Fatal(result.Err)
			}
			sealed[i] = secrets.Sealed{Place: plain[i].Place, Text: result.Value}
		}
		b.Run(fmt.Sprintf("seal %d", n), func(b *testing.B) {
			take(b, bare(b, "encrypt", organization, n, func(i int) map[string]string {
				return map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plain[i].Plaintext)}
			}), func() error {
				for _, result := range keyring.SealAll(b.Context(), plain) {
					if result.Err != nil {
						return result.Err
					}
				}
				return nil
			})
		})
		b.Run(fmt.Sprintf("open %d", n), func(b *testing.B) {
			take(b, bareOpen(b, organization, n), func() error {
				for _, result := range keyring.OpenAll(b.Context(), sealed) {
					if result.Err != nil {
						return result.Err
					}
				}
				return nil
			})
		})
	}
}

// take measures both by turns.
func take(b *testing.B, bare, ours func() error) {
	b.Helper()
	var spent [2]time.Duration
	for b.Loop() {
		for i, call := range []func() error{bare, ours} {
			began := time.Now()
			if err := call(); err != nil {
				b.Fatal(err)
			}
			spent[i] += time.Since(began)
		}
	}
	b.ReportMetric(float64(spent[0])/float64(spent[1]), "ratio")
	b.ReportMetric(float64(spent[0].Microseconds())/float64(b.N), "bare-µs")
	b.ReportMetric(float64(spent[1].Microseconds())/float64(b.N), "ours-µs")
	b.ReportMetric(0, "ns/op")
}

// bare is one HTTP request for n items, made beforehand.
func bare(b *testing.B, use, organization string, n int, item func(i int) map[string]string) func() error {
	b.Helper()
	items := make([]map[string]string, n)
	for i := range items {
		items[i] = item(i)
		items[i]["context"] = base64.StdEncoding.EncodeToString([]byte("row " + fmt.Sprint(i)))
	}
	body, err := json.Marshal(map[string]any{"batch_input": items})
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{}
	return func() error {
		r, err := http.NewRequest(http.MethodPut, shared.Address+"/v1/transit/"+use+"/organization-"+organization, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("X-Vault-Token", shared.root.Token())
		r.Header.Set("X-Vault-Request", "true")
		response, err := client.Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("the bare call: %s", response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
}

// bareOpen has n texts to open that the bare call has sealed.
func bareOpen(b *testing.B, organization string, n int) func() error {
	b.Helper()
	texts := make([]string, n)
	for i := range texts {
		made, err := shared.root.Logical().Write("transit/encrypt/organization-"+organization, map[string]any{
			"plaintext": base64.StdEncoding.EncodeToString([]byte("DE89370400440532013000")),
			"context":   base64.StdEncoding.EncodeToString([]byte("row " + fmt.Sprint(i))),
		})
		if err != nil {
			b.Fatal(err)
		}
		texts[i], _ = made.Data["ciphertext"].(string)
	}
	return bare(b, "decrypt", organization, n, func(i int) map[string]string { return map[string]string{"ciphertext": texts[i]} })
}
