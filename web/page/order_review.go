package page

// OrderReview is the data of "order-review". Its form sends hours, orders, cards, addresses, countries and version.
type OrderReview struct {
	Shell
	Form Form
}
