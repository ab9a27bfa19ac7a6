package secrets

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
)

const (
	batchItems = 100
	batchBytes = 4 << 20 // well below the 32 MiB that Vault takes
)

// batchItem is one secret on its way to Vault.
type batchItem struct {
	Context    []byte `json:"context"` // in base64, as encoding/json writes bytes and Vault reads them
	Plaintext  []byte `json:"plaintext,omitempty"`
	Ciphertext string `json:"ciphertext,omitempty"`

	at    int // where it stands in what the caller gave
	place Place
}

func (b batchItem) size() int { return len(b.Context) + len(b.Plaintext) + len(b.Ciphertext) }

// batchAnswer is what became of one.
type batchAnswer struct {
	Plaintext  string `json:"plaintext"`
	Ciphertext string `json:"ciphertext"`
	Error      string `json:"error"`
}

type batchAnswers struct {
	Results []batchAnswer `json:"batch_results"`
}

// batches sends items, each organization's apart and in pieces of a bounded size, and calls take with what
// became of each.
func (v *Vault) batches(ctx context.Context, use string, items []batchItem, take func(item batchItem, answer batchAnswer, err error)) {
	var order []string
	by := map[string][]batchItem{}
	for _, item := range items {
		organization := item.place.Organization
		if by[organization] == nil {
			order = append(order, organization)
		}
		by[organization] = append(by[organization], item)
	}
	for _, organization := range order {
		for rest := by[organization]; len(rest) > 0; {
			n, bytes := 1, rest[0].size()
			for n < len(rest) && n < batchItems && bytes+rest[n].size() <= batchBytes {
				bytes += rest[n].size()
				n++
			}
			v.batch(ctx, use, organization, rest[:n], take)
			rest = rest[n:]
		}
	}
}

func (v *Vault) batch(ctx context.Context, use, organization string, items []batchItem, take func(batchItem, batchAnswer, error)) {
	answers, err := v.askBatch(ctx, use, organization, items)
	for i, item := range items {
		if err != nil {
			take(item, batchAnswer{}, err)
			continue
		}
		take(item, answers[i], batchError(answers[i]))
	}
}

// batchError is what Vault said of one item. It says the same of a text that was altered and of one from elsewhere.
func batchError(answer batchAnswer) error {
	switch {
	case answer.Error == "":
		return nil
	case strings.Contains(answer.Error, "too old"):
		return ErrRetired
	}
	return ErrUnreadable.Because(errors.New(answer.Error))
}

// askBatch gives an answer for each item, or why there are none.
func (v *Vault) askBatch(ctx context.Context, use, organization string, items []batchItem) ([]batchAnswer, error) {
	// Else Vault 1.13 answers 400 where one item of many is at fault; where all are, it always does.
	body := map[string]any{"batch_input": items, "partial_failure_response_code": http.StatusOK}
	var answers batchAnswers
	err := v.call(ctx, http.MethodPut, v.mount+"/"+use+"/organization-"+organization, body, &answers)
	var refused *refusal
	if errors.As(err, &refused) {
		_ = decode(refused.body, &answers) // no answer of a batch: the count below says so
	} else if err != nil && !errors.Is(err, errForbidden) && !errors.Is(err, errNotFound) {
		return nil, err
	}
	if len(answers.Results) == len(items) {
		return answers.Results, nil
	}
	// To a key that is not there Vault says that something is wrong with the request, or, where it would have to
	// make one, that the policy does not allow it.
	if _, missing := v.there(ctx, organization); missing != nil {
		return nil, plain(missing)
	}
	if err == nil {
		err = errors.New("the answer has not one result for each item")
	}
	return nil, notReached(ErrRefused, err)
}

// SealAll is Keyring's.
func (v *Vault) SealAll(ctx context.Context, items []Plain) []Result[string] {
	results := make([]Result[string], len(items))
	var send []batchItem
	for i, item := range items {
		if err := errors.Join(ctx.Err(), item.Place.check(), checkLength(item.Plaintext)); err != nil {
			results[i].Err = err
			continue
		}
		send = append(send, batchItem{Context: item.Place.context(), Plaintext: item.Plaintext, at: i, place: item.Place})
	}
	v.batches(ctx, "encrypt", send, func(item batchItem, answer batchAnswer, err error) {
		results[item.at] = Result[string]{answer.Ciphertext, err}
	})
	return results
}

// sealedItems are those of items that can open at all.
func sealedItems(ctx context.Context, items []Sealed, refuse func(i int, err error)) []batchItem {
	var send []batchItem
	for i, item := range items {
		err := errors.Join(ctx.Err(), item.Place.check())
		if err == nil {
			_, _, err = splitSealed(vaultKind, item.Text)
		}
		if err != nil {
			refuse(i, err)
			continue
		}
		send = append(send, batchItem{Context: item.Place.context(), Ciphertext: item.Text, at: i, place: item.Place})
	}
	return send
}

// OpenAll is Keyring's.
func (v *Vault) OpenAll(ctx context.Context, items []Sealed) []Result[Secret] {
	results := make([]Result[Secret], len(items))
	send := sealedItems(ctx, items, func(i int, err error) { results[i].Err = err })
	v.batches(ctx, "decrypt", send, func(item batchItem, answer batchAnswer, err error) {
		if err == nil {
			results[item.at].Value, err = base64.StdEncoding.DecodeString(answer.Plaintext)
		}
		results[item.at].Err = err
	})
	return results
}

// RewrapAll is Keyring's.
func (v *Vault) RewrapAll(ctx context.Context, items []Sealed) []Result[string] {
	results := make([]Result[string], len(items))
	send := sealedItems(ctx, items, func(i int, err error) { results[i].Err = err })
	v.batches(ctx, "rewrap", send, func(item batchItem, answer batchAnswer, err error) {
		results[item.at] = Result[string]{answer.Ciphertext, err}
	})
	return results
}

// Seal is Keyring's.
func (v *Vault) Seal(ctx context.Context, at Place, plaintext []byte) (string, error) {
	result := v.SealAll(ctx, []Plain{{at, plaintext}})[0]
	return result.Value, result.Err
}

// Open is Keyring's.
func (v *Vault) Open(ctx context.Context, at Place, sealed string) ([]byte, error) {
	result := v.OpenAll(ctx, []Sealed{{at, sealed}})[0]
	return result.Value, result.Err
}

// Rewrap is Keyring's.
func (v *Vault) Rewrap(ctx context.Context, at Place, sealed string) (string, error) {
	result := v.RewrapAll(ctx, []Sealed{{at, sealed}})[0]
	return result.Value, result.Err
}
