// Package intake reads our own exports and other systems' CSV files into the books: accounts, customers, payees, products,
// documents that are sold and bought, payments of both, what credits settle, journals.
//
// It stands in front of package billing and goes in by the same doors as a person does, so that what was imported is
// numbered, posted and recorded like everything else, and nothing gets in that the pages would refuse. A file is read and
// checked whole before the books are touched, and every refusal names file, line and column, because whoever has to mend a
// file of ten thousand rows needs to know where.
package intake
