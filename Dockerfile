FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /deskhand ./cmd/deskhand
# The data folder has to belong to the user that the daemon runs as.
RUN mkdir /data

# No shell and no packages, only certificates and a user that is not root.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /deskhand /deskhand
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/deskhand"]
CMD ["run", "--config", "/etc/deskhand/deskhand.yaml"]
