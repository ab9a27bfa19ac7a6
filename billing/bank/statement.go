package bank

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/civil"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about reconciling.
var (
	ErrStatementNotFound = fault.New(fault.NotFound, "bank_statement.not_found", "There is no such statement.")
	ErrStatementChanged  = fault.New(fault.Conflict, "bank_statement.changed", "Someone else changed this statement in the meantime. Look at it again.")
	ErrStatementBegun    = fault.New(fault.Conflict, "bank_statement.begun", "A statement of this account is under way already. Finish or discard it first.")
	ErrStatementEarlier  = fault.New(fault.Invalid, "bank_statement.earlier", "The account is reconciled beyond that day already. Choose a later one.").At("ends_on")
	ErrStatementFuture   = fault.New(fault.Invalid, "bank_statement.future", "A statement ends today at the latest.").At("ends_on")
	ErrStatementFinished = fault.New(fault.Conflict, "bank_statement.finished", "This statement is finished. Reopen it to change anything.")
	ErrStatementOpen     = fault.New(fault.Conflict, "bank_statement.not_finished", "This statement is not finished, so there is nothing to reopen.")
	ErrStatementNotLast  = fault.New(fault.Conflict, "bank_statement.not_newest", "A later statement rests on this one. Reopen that first.")
	ErrDifference        = fault.New(fault.Conflict, "bank_statement.difference", "The matched lines do not come to the statement's balance.")
)

// StatementID names a statement.
type StatementID = id.Of[Statement]

// Statement is what an account is reconciled with: the balance that it opens with, the matched lines up to its day that
// stand in none before, and the balance that the bank says it closes with.
type Statement struct {
	ID       StatementID
	Account  ledger.AccountID
	EndsOn   civil.Date
	Opening  money.Amount
	Closing  money.Amount
	Cleared  money.Amount // what its matched lines come to
	Lines    int          // matched
	ToLookAt int          // lines up to its day that are not matched, while it is under way
	Finished *time.Time
	ByName   string // who finished it
	Newest   bool   // no other of the account ends later
	Version  int
}

// Difference is what is missing for it to be finished: nothing, when opening and matched lines are the closing balance.
func (s Statement) Difference() (money.Amount, error) {
	reached, err := s.Opening.Add(s.Cleared)
	if err != nil {
		return reached, err
	}
	return s.Closing.Sub(reached)
}

// Statements lists an account's statements, the newest first.
func Statements(ctx context.Context, tx *tenant.Tx, account ledger.AccountID) ([]Statement, error) {
	if _, err := selectAccount(ctx, tx, account); err != nil {
		return nil, err
	}
	return selectStatements(ctx, tx, account)
}

// StatementByID gives one statement; ErrStatementNotFound.
func StatementByID(ctx context.Context, tx *tenant.Tx, statement StatementID) (Statement, error) {
	return selectStatement(ctx, tx, statement)
}

// StatementLines are the lines of a statement by day: those in it and, while it is under way, those that are to be.
func StatementLines(ctx context.Context, tx *tenant.Tx, s Statement) ([]Line, error) {
	return selectStatementLines(ctx, tx, s)
}

// StatementInput is what people take from a bank's statement.
type StatementInput struct {
	EndsOn  civil.Date
	Closing money.Amount
}

func (in StatementInput) check(ctx context.Context, tx *tenant.Tx, a Account) error {
	var faults fault.List
	today, err := ledger.Today(ctx, tx)
	if err != nil {
		return err
	}
	switch {
	case in.EndsOn.IsZero():
		faults = append(faults, civil.ErrDate.At("ends_on"))
	case in.EndsOn.After(today):
		faults = append(faults, ErrStatementFuture)
	case !a.Reconciled.IsZero() && !in.EndsOn.After(a.Reconciled):
		faults = append(faults, ErrStatementEarlier.Sayf("The account is reconciled through %s already. Choose a later day.", a.Reconciled))
	}
	if in.Closing.Currency != a.Currency {
		faults = append(faults, ErrOtherMoney.Sayf("Give the balance in %s.", a.Currency).At("closing"))
	} else if err := in.Closing.CheckSize(); !faults.Add("closing", err) {
		return err
	}
	return faults.Err()
}

// BeginStatement begins to reconcile an account with a statement of the bank. It opens with what the one before closed
// with, the first with the balance before the first line. It fails with ErrAccountNotFound, ErrStatementBegun, ErrStatementEarlier,
// ErrStatementFuture and what is wrong with the balance.
func BeginStatement(ctx context.Context, tx *tenant.Tx, account ledger.AccountID, in StatementInput) (Statement, error) {
	a, err := lockAccount(ctx, tx, account)
	if err != nil {
		return Statement{}, err
	}
	if err := in.check(ctx, tx, a); err != nil {
		return Statement{}, err
	}
	all, err := selectStatements(ctx, tx, account)
	if err != nil {
		return Statement{}, err
	}
	opening := a.Opening
	for i, s := range all {
		if s.Finished == nil {
			return Statement{}, ErrStatementBegun
		}
		if i == 0 {
			opening = s.Closing
		}
	}
	made := id.New[Statement]()
	if err := insertStatement(ctx, tx, made, account, in, opening); err != nil {
		return Statement{}, err
	}
	return statementKept(ctx, tx, made, "bank_statement.begin")
}

// ChangeStatement changes the day and the balance of a statement that is under way. It fails as BeginStatement does, and with
// ErrStatementNotFound, ErrStatementChanged and ErrStatementFinished.
func ChangeStatement(ctx context.Context, tx *tenant.Tx, statement StatementID, version int, in StatementInput) (Statement, error) {
	s, a, err := lockStatement(ctx, tx, statement, version)
	switch {
	case err != nil:
		return s, err
	case s.Finished != nil:
		return s, ErrStatementFinished
	}
	if err := in.check(ctx, tx, a); err != nil {
		return s, err
	}
	if err := updateStatement(ctx, tx, statement, in); err != nil {
		return s, err
	}
	return statementKept(ctx, tx, statement, "bank_statement.change")
}

// FinishStatement locks the matched lines up to a statement's day, if with the opening balance they come to its closing
// balance to the cent. It fails with ErrDifference, which says by how much they do not, and with ErrStatementNotFound,
// ErrStatementChanged and ErrStatementFinished.
func FinishStatement(ctx context.Context, tx *tenant.Tx, statement StatementID, version int) (Statement, error) {
	s, _, err := lockStatement(ctx, tx, statement, version)
	switch {
	case err != nil:
		return s, err
	case s.Finished != nil:
		return s, ErrStatementFinished
	}
	difference, err := s.Difference()
	if err != nil {
		return s, err
	}
	if !difference.IsZero() {
		return s, ErrDifference.Sayf("The matched lines come to another balance than the statement: %s %s are missing. %s", difference, difference.Currency, s.hint())
	}
	if err := updateFinished(ctx, tx, s); err != nil {
		return s, err
	}
	return statementKept(ctx, tx, statement, "bank_statement.finish")
}

// hint says what to do about a difference.
func (s Statement) hint() string {
	if s.ToLookAt > 0 {
		return fmt.Sprintf("Up to its day %d lines are not matched yet. Match them first.", s.ToLookAt)
	}
	return "All lines are matched: import those that are missing, or correct the balance of the statement."
}

// ReopenStatement unlocks the lines of the newest statement. It fails with ErrStatementNotFound, ErrStatementChanged,
// ErrStatementOpen, ErrStatementNotLast, and ErrStatementBegun while another is under way.
func ReopenStatement(ctx context.Context, tx *tenant.Tx, statement StatementID, version int) (Statement, error) {
	s, _, err := lockStatement(ctx, tx, statement, version)
	switch {
	case err != nil:
		return s, err
	case s.Finished == nil:
		return s, ErrStatementOpen
	case !s.Newest:
		all, err := selectStatements(ctx, tx, s.Account)
		if err != nil {
			return s, err
		}
		if len(all) > 1 && all[0].Finished == nil && all[1].ID == s.ID {
			return s, ErrStatementBegun
		}
		return s, ErrStatementNotLast
	}
	if err := updateReopened(ctx, tx, statement); err != nil {
		return s, err
	}
	return statementKept(ctx, tx, statement, "bank_statement.reopen")
}

// DiscardStatement gives up a statement that is under way; its lines stay matched. It fails with ErrStatementNotFound,
// ErrStatementChanged and ErrStatementFinished.
func DiscardStatement(ctx context.Context, tx *tenant.Tx, statement StatementID, version int) error {
	s, _, err := lockStatement(ctx, tx, statement, version)
	switch {
	case err != nil:
		return err
	case s.Finished != nil:
		return ErrStatementFinished
	}
	if err := deleteStatement(ctx, tx, statement); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "bank_statement.discard", Object: "bank_statement", ID: statement.UUID, Detail: s.EndsOn.String()})
}

// lockStatement locks a statement's account, and reads both anew.
func lockStatement(ctx context.Context, tx *tenant.Tx, statement StatementID, version int) (Statement, Account, error) {
	s, err := selectStatement(ctx, tx, statement)
	if err != nil {
		return s, Account{}, err
	}
	a, err := lockAccount(ctx, tx, s.Account)
	if err != nil {
		return s, a, err
	}
	if s, err = selectStatement(ctx, tx, statement); err != nil {
		return s, a, err
	}
	if version != 0 && version != s.Version {
		return s, a, ErrStatementChanged
	}
	return s, a, nil
}

func statementKept(ctx context.Context, tx *tenant.Tx, statement StatementID, action string) (Statement, error) {
	s, err := selectStatement(ctx, tx, statement)
	if err != nil {
		return s, err
	}
	return s, tx.Record(ctx, tenant.Act{Action: action, Object: "bank_statement", ID: uuid.UUID(statement.UUID),
		Detail: fmt.Sprintf("through %s, %s %s", s.EndsOn, s.Closing, s.Closing.Currency)})
}
