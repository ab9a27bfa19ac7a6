// Package custody looks after an organization's key for as long as the organization is: it renews the key without
// any secret being unreadable at any moment, and in the end destroys it, with the books, and certifies what is
// gone and what is not.
//
// It stands apart from package secrets, which knows no database, and from tenant, which knows no key.
package custody
