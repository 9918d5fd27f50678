# Two images:
#
#   docker build . -t p7                                      Apache Kafka with the program beside it
#   docker build . --target program -t weatheractors          the program alone, for a Kafka that is there
#
# README.md says how to use them. GO_IMAGE and KAFKA_IMAGE take images of your own
# registry; GOPROXY goes where Go's modules come from; VERSION is what --version says.

ARG GO_IMAGE=golang:1.26-alpine
ARG KAFKA_IMAGE=apache/kafka:4.3.1

FROM ${GO_IMAGE} AS build
WORKDIR /src
ARG GOPROXY
ENV CGO_ENABLED=0 GOMODCACHE=/go/mod GOCACHE=/go/cache
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/mod go mod download
COPY . .
ARG VERSION
# Two folders that become roots: one for each image.
RUN --mount=type=cache,target=/go/mod --mount=type=cache,target=/go/cache \
    set -eu; \
    build() { go build -trimpath -ldflags "-s -w -X main.stamped=${VERSION}" -o "$@"; }; \
    mkdir -p /program/files /program/etc/ssl/certs /program/usr/local/bin /kafka/usr/local/bin /kafka/usr/local/libexec /kafka/usr/local/etc/kafka; \
    chmod 777 /program/files; \
    build /program/usr/local/bin/weatheractors ./cmd/weatheractors; \
    cp /etc/ssl/certs/ca-certificates.crt /program/etc/ssl/certs/; \
    cp LICENSE /program/; \
    cp /program/usr/local/bin/weatheractors /kafka/usr/local/libexec/; \
    build /kafka/usr/local/bin/kafka ./cmd/internal/container; \
    ln -s kafka /kafka/usr/local/bin/kafka-health; \
    ln -s kafka /kafka/usr/local/bin/weatheractors; \
    cp cmd/internal/container/*.properties /kafka/usr/local/etc/kafka/

# The program alone: no shell, no libraries, no root.
FROM scratch AS program
COPY --from=build /program/ /
USER 65532:65532
ENV WEATHERACTORS_DIR=/files
ENTRYPOINT ["/usr/local/bin/weatheractors"]

# Apache Kafka with the program beside it. It starts as root to find out whom the
# folder mounted at /files belongs to, and gives up root's rights at once; any
# other --user will do as well. So both folders are open to everybody.
FROM ${KAFKA_IMAGE} AS broker
USER root
RUN mkdir -p /files /kafka && chown 1000:1000 /files /kafka && chmod 777 /files /kafka
COPY --from=build /kafka/usr/local/ /usr/local/
WORKDIR /
ENV WEATHERACTORS_DIR=/files WEATHERACTORS_WAIT=1m
VOLUME /kafka
EXPOSE 9094
HEALTHCHECK --interval=5s --timeout=5s --start-period=1m CMD ["kafka-health"]
# Not what the base image begins with. Apache Kafka becomes process 1, and hears
# the signal to stop.
ENTRYPOINT []
CMD ["kafka"]
