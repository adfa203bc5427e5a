{{/*
Where the certificates come from: chart, certManager or existing. Once the chart has made an authority, `auto` stays with
it: daemons that trust different authorities can't talk to each other while an upgrade replaces them one by one.
*/}}
{{- define "jobber.grpcTlsSource" -}}
{{- $source := .Values.grpcTls.source -}}
{{- if ne $source "auto" -}}
{{- $source -}}
{{- else if lookup "v1" "Secret" .Release.Namespace (include "jobber.objectName" (dict "root" . "name" "grpc-ca")) -}}
chart
{{- else if .Capabilities.APIVersions.Has "cert-manager.io/v1" -}}
certManager
{{- else -}}
chart
{{- end -}}
{{- end -}}

{{- define "jobber.grpcTlsSecret" -}}
{{- if eq (include "jobber.grpcTlsSource" .root) "existing" -}}
{{ .root.Values.grpcTls.secretPrefix }}-{{ .daemon }}
{{- else -}}
{{ include "jobber.objectName" (dict "root" .root "name" (printf "grpc-%s" .daemon)) }}
{{- end -}}
{{- end -}}

{{/* The names under which callers know a daemon; the executor serves nobody, and has one all the same. */}}
{{- define "jobber.grpcTlsNames" -}}
{{- $service := printf "%s-grpc" .daemon -}}
- {{ $service }}
- {{ $service }}.{{ .root.Release.Namespace }}
- {{ $service }}.{{ .root.Release.Namespace }}.svc
- {{ $service }}.{{ .root.Release.Namespace }}.svc.cluster.local
{{- end -}}

{{/*
The authority and the certificates that the chart makes, as {ca: {data}, leaves: {<daemon>: {madeAt, data}}}. What the
cluster has is kept; certificates older than renewAfterDays are made anew by the same authority, so that old and new pods
trust each other. Made once a rendering.
*/}}
{{- define "jobber.madeCertificates" -}}
{{- if not (hasKey .Values "madeCertificates") -}}
{{- $root := . -}}
{{- $caName := include "jobber.objectName" (dict "root" . "name" "grpc-ca") -}}
{{- $keptCa := (lookup "v1" "Secret" .Release.Namespace $caName).data | default dict -}}
{{- $ca := dict -}}
{{- if and (get $keptCa "tls.crt") (get $keptCa "tls.key") -}}
{{- $ca = buildCustomCert (get $keptCa "tls.crt") (get $keptCa "tls.key") -}}
{{- else -}}
{{- $ca = genCAWithKey "jobber gRPC authority" 7300 (genPrivateKey "ecdsa") -}}
{{- end -}}
{{- $now := now | unixEpoch | int64 -}}
{{- $leaves := dict -}}
{{- range $daemon := list "auth" "jobs" "executor" "products" -}}
{{- $name := include "jobber.objectName" (dict "root" $root "name" (printf "grpc-%s" $daemon)) -}}
{{- $kept := lookup "v1" "Secret" $root.Release.Namespace $name | default dict -}}
{{- $data := $kept.data | default dict -}}
{{- $madeAt := dig "metadata" "annotations" "jobber/made-at" "0" $kept | int64 -}}
{{- $renewAt := add $madeAt (mul ($root.Values.grpcTls.renewAfterDays | int64) 86400) -}}
{{- if and (eq (get $data "ca.crt") ($ca.Cert | b64enc)) (get $data "tls.crt") (get $data "tls.key") (gt $renewAt $now) -}}
{{- $_ := set $leaves $daemon (dict "madeAt" $madeAt "data" $data) -}}
{{- else -}}
{{- $names := include "jobber.grpcTlsNames" (dict "root" $root "daemon" $daemon) | fromYamlArray -}}
{{- $leaf := genSignedCertWithKey $daemon nil $names ($root.Values.grpcTls.validityDays | int) $ca (genPrivateKey "ecdsa") -}}
{{- $made := dict "ca.crt" ($ca.Cert | b64enc) "tls.crt" ($leaf.Cert | b64enc) "tls.key" ($leaf.Key | b64enc) -}}
{{- $_ := set $leaves $daemon (dict "madeAt" $now "data" $made) -}}
{{- end -}}
{{- end -}}
{{- $caData := dict "tls.crt" ($ca.Cert | b64enc) "tls.key" ($ca.Key | b64enc) -}}
{{- $_ := set .Values "madeCertificates" (dict "ca" $caData "leaves" $leaves) -}}
{{- end -}}
{{- toYaml .Values.madeCertificates -}}
{{- end -}}

{{/* Daemons read their certificate when they start: a new one starts them again. */}}
{{- define "jobber.grpcTlsChecksum" -}}
{{- if eq (include "jobber.grpcTlsSource" .root) "chart" -}}
{{- $made := include "jobber.madeCertificates" .root | fromYaml -}}
{{- index $made.leaves .daemon "data" "tls.crt" | sha256sum -}}
{{- else -}}
{{- include "jobber.grpcTlsSecret" . | sha256sum -}}
{{- end -}}
{{- end -}}
