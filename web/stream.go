package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/tenant"
)

const (
	// streamTimeout bounds a file that is written while it is read.
	streamTimeout = 30 * time.Minute
	// streamStall is how long its reader may take for a part.
	streamStall = time.Minute
)

// stream answers with a file that is written while it is read, so that its length costs no memory. write runs when the
// handler is through, and reads by run, each time in a transaction of its own: none of them waits for the reader, and
// whoever loses the right loses the rest of the file. When something fails the connection breaks off, so that no half
// file looks like a whole one.
func (v *visit) stream(name, contentType string, write func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error) error {
	return v.streamAs(`attachment; filename="`+name+`"`, contentType, write)
}

func (v *visit) streamAs(disposition, contentType string, write func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error) error {
	v.call.stream(v.ctx, v.c, disposition, contentType, write)
	return nil
}

// stream is for whoever called, a browser or a program.
func (v *call) stream(asked context.Context, c *fiber.Ctx, disposition, contentType string, write func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error) {
	request, conn := tenant.RequestFrom(asked), c.Context().Conn()
	own := *v // it may be decided anew who asks, while the request is still being logged
	c.Set("Content-Type", contentType)
	c.Set("Content-Disposition", disposition)
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		ctx, cancel := context.WithTimeout(tenant.WithRequest(context.Background(), request), streamTimeout)
		defer cancel()
		err := own.writeStream(ctx, stalling{out, conn}, write)
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			v.server.Log.Error("a file was broken off", "request_id", request.ID, "error", err)
			if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				v.server.Log.Error("breaking off", "request_id", request.ID, "error", err)
			}
		}
	})
}

// writeStream keeps a panic from ending the process: nothing else stands above it.
func (v *call) writeStream(ctx context.Context, w io.Writer, write func(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, w io.Writer) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return write(ctx, func(fn func(tx *tenant.Tx) error) error { return v.do(ctx, fn) }, w)
}

// stalling gives the reader time for each part, where the server's own limit is for the whole answer.
type stalling struct {
	*bufio.Writer
	conn net.Conn
}

func (s stalling) Write(p []byte) (int, error) {
	if err := s.conn.SetWriteDeadline(time.Now().Add(streamStall)); err != nil {
		return 0, err
	}
	return s.Writer.Write(p)
}
