// Package invoicepdf puts a sales document on paper, as PDF.
//
// It is given figures and words and works out none: the cents on the paper are those that the calculator stored. Two
// fonts travel with the program, so that a name in Latin, Greek, Cyrillic, Chinese, Japanese or Korean looks the same
// on every machine, and the same document gives the same bytes, today and in ten years.
package invoicepdf
