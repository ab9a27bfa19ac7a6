# The service in an image that holds nothing else: no shell, no package, no user but its own.
#
#   docker build --build-arg VERSION=1.2.3 -t countinghouse:1.2.3 .
#
# The same sources and version give the same program, byte for byte: see .ci/reproducible.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make build VERSION="$VERSION" VCS=false && mkdir -p /rootfs/etc/ssl/certs /rootfs/tmp && chmod 1777 /rootfs/tmp && \
    cp bin/countinghouse /rootfs/countinghouse && cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/

FROM scratch
COPY --from=build /rootfs/ /
USER 65532:65532
ENV COUNTINGHOUSE_LISTEN=:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/countinghouse", "probe", "http://127.0.0.1:8080/livez"]
ENTRYPOINT ["/countinghouse"]
CMD ["serve"]
