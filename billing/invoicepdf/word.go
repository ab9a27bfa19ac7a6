package invoicepdf

import "github.com/countinghouse/countinghouse/internal/locale"

// words are what we say on the paper ourselves.
type words struct {
	Kinds                                           map[Kind]string
	DueDates                                        map[Kind]string
	IssueDate, Reference, PurchaseOrder, Credits    string
	BilledTo, Draft, Void                           string
	Description, Quantity, UnitPrice, Tax, Amount   string
	PricesWithTax, Discount, DiscountOnWhole        string
	Net, On, Total, Settled, Open, HowToPay, PayNow string
	Page                                            string // "Page 1 of 2"
	From, Day, Opening, Balance, Closing, Overdue   string // of a statement
	Nothing                                         string
}

var catalogue = map[locale.Language]words{
	locale.English: {
		Kinds:     map[Kind]string{Invoice: "Invoice", CreditNote: "Credit note", Quote: "Quote", statement: "Statement"},
		DueDates:  map[Kind]string{Invoice: "Due", Quote: "Valid until", statement: "To"},
		IssueDate: "Date", Reference: "Reference", PurchaseOrder: "Purchase order", Credits: "Credits invoice",
		BilledTo: "To", Draft: "DRAFT", Void: "VOID",
		Description: "Description", Quantity: "Quantity", UnitPrice: "Unit price", Tax: "Tax", Amount: "Amount",
		PricesWithTax: "Prices include tax.", Discount: "less %s", DiscountOnWhole: "Discount",
		Net: "Net", On: "%s on %s", Total: "Total", Settled: "Paid or credited", Open: "To pay",
		HowToPay: "How to pay", PayNow: "Pay online", Page: "Page %d of %s",
		From: "From", Day: "Date", Opening: "Before", Balance: "Balance", Closing: "You owe", Overdue: "of that overdue",
		Nothing: "Nothing was invoiced or paid in this time.",
	},
	locale.French: {
		Kinds:     map[Kind]string{Invoice: "Facture", CreditNote: "Note de crédit", Quote: "Devis", statement: "Relevé"},
		DueDates:  map[Kind]string{Invoice: "Échéance", Quote: "Valable jusqu’au", statement: "Au"},
		IssueDate: "Date", Reference: "Référence", PurchaseOrder: "Bon de commande", Credits: "Crédite la facture",
		BilledTo: "À", Draft: "BROUILLON", Void: "ANNULÉE",
		Description: "Description", Quantity: "Quantité", UnitPrice: "Prix unitaire", Tax: "Taxe", Amount: "Montant",
		PricesWithTax: "Les prix comprennent les taxes.", Discount: "moins %s", DiscountOnWhole: "Remise",
		Net: "Montant net", On: "%s sur %s", Total: "Total", Settled: "Payé ou crédité", Open: "À payer",
		HowToPay: "Comment payer", PayNow: "Payer en ligne", Page: "Page %d sur %s",
		From: "Du", Day: "Date", Opening: "Avant", Balance: "Solde", Closing: "Vous devez", Overdue: "dont échu",
		Nothing: "Rien n’a été facturé ni payé pendant ce temps.",
	},
}

func wordsOf(l locale.Language) words {
	if w, ok := catalogue[l]; ok {
		return w
	}
	return catalogue[locale.English]
}
