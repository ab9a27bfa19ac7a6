package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/jobs"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

var errNoJob = fault.New(fault.NotFound, "job.not_found", "There is no such job.")

func (s *Server) registerStaffJobPages() {
	s.staff("GET", "/jobs", staffTo(authz.Read, authz.StaffJobs), func(v *staffVisit) error {
		return showStaffJobs(v, http.StatusOK, page.Form{})
	})
	s.staff("POST", "/jobs/:id/retry", staffTo(authz.Change, authz.StaffJobs), func(v *staffVisit) error {
		return sendStaffJob(v, "job.retry", jobs.RetryJob, "It runs again as soon as a worker is free.")
	})
	s.staff("POST", "/jobs/:id/cancel", staffTo(authz.Change, authz.StaffJobs), func(v *staffVisit) error {
		return sendStaffJob(v, "job.cancel", jobs.CancelJob, "It is stopped for good.")
	})
}

// showStaffJobs lists jobs. A job's arguments are not among what it shows: they belong to its organization.
func showStaffJobs(v *staffVisit, status int, form page.Form) error {
	filter := jobs.Filter{Standing: jobs.Standing(v.c.Query("standing")), Kind: v.c.Query("kind")}
	if filter.Standing != "" && !slices.Contains(jobs.Standings(), filter.Standing) {
		return errNoPage
	}
	before, err := strconv.ParseInt(v.c.Query("before", "0"), 10, 64)
	if err != nil || before < 0 {
		return errNoPage
	}
	data := page.StaffJobs{StaffShell: v.frame("Jobs", "jobs"), Form: form, Standing: string(filter.Standing), Kind: filter.Kind}
	err = v.run(func(tx *tenant.PlatformTx) error {
		found, err := jobs.ListJobs(v.ctx, tx, filter, before, staffPageLength+1)
		if err != nil {
			return err
		}
		if len(found) > staffPageLength {
			found = found[:staffPageLength]
			data.More = v.c.Path() + "?" + url.Values{"standing": {data.Standing}, "kind": {data.Kind}, "before": {strconv.FormatInt(found[staffPageLength-1].ID, 10)}}.Encode()
		}
		for _, j := range found {
			data.Items = append(data.Items, page.JobRow{Status: j, Acts: v.jobActs(j)})
		}
		counts, err := jobs.CountJobs(v.ctx, tx)
		if err != nil {
			return err
		}
		for _, s := range jobs.Standings() {
			data.Standings = append(data.Standings, page.Option{Value: string(s), Label: fmt.Sprintf("%s: %d", s, counts[s])})
		}
		kinds, err := jobs.QueuedKinds(v.ctx, tx)
		for _, kind := range kinds {
			data.Kinds = append(data.Kinds, page.Option{Value: kind, Label: kind})
		}
		return err
	})
	if err != nil {
		return err
	}
	return render(v.c, status, "staff-jobs", data)
}

func (v *staffVisit) jobActs(j jobs.Status) (acts []page.Act) {
	if !v.may(staffTo(authz.Change, authz.StaffJobs)) {
		return nil
	}
	at := fmt.Sprintf("/staff/jobs/%d", j.ID)
	switch j.Standing {
	case jobs.Failing, jobs.Failed, jobs.Cancelled:
		acts = append(acts, page.Act{URL: at + "/retry", Label: "Try again", Icon: "undo-2", Class: "btn-small"})
	}
	switch j.Standing {
	case jobs.Failing, jobs.Running, jobs.Waiting:
		acts = append(acts, page.Act{URL: at + "/cancel", Label: "Cancel", Icon: "ban", Class: "btn-small btn-danger",
			Ask: "It is not done, now or later. Whoever waits for it has to ask for it again.", Does: fmt.Sprintf("Cancel job %d", j.ID)})
	}
	return acts
}

func sendStaffJob(v *staffVisit, action string, act func(ctx context.Context, tx *tenant.PlatformTx, id int64) error, done string) error {
	job, err := strconv.ParseInt(v.c.Params("id"), 10, 64)
	if err != nil || job <= 0 {
		return errNoJob
	}
	err = v.run(func(tx *tenant.PlatformTx) error {
		if err := act(v.ctx, tx, job); err != nil {
			return err
		}
		return authz.RecordStaff(v.ctx, tx, v.staff.Person.ID, tenant.Act{Action: action, Object: "job", Detail: fmt.Sprintf("job %d", job)})
	})
	var form page.Form
	if form.Refused(err) {
		return showStaffJobs(v, statusOf(form.Faults[0].Kind), form)
	} else if err != nil {
		return err
	}
	say(v.c, done)
	return v.c.Redirect("/staff/jobs", http.StatusSeeOther)
}
