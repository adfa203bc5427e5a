{{/* The settings of each daemon, by the variables of docs/configuration.md. */}}

{{- define "jobber.env.common" -}}
- name: NODE_ENV
  value: {{ .Values.environment }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: SERVICE_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ include "jobber.secretName" . }}
      key: service-secret
{{- if .Values.grpcTls.enabled }}
- name: GRPC_TLS_CA_FILE
  value: /etc/jobber/grpc-tls/ca.crt
- name: GRPC_TLS_CERT_FILE
  value: /etc/jobber/grpc-tls/tls.crt
- name: GRPC_TLS_KEY_FILE
  value: /etc/jobber/grpc-tls/tls.key
{{- end }}
{{- end -}}

{{- define "jobber.env.auth" -}}
- name: AUTH_HOST
  value: 0.0.0.0
- name: AUTH_PORT
  value: '3000'
- name: AUTH_GRPC_PORT
  value: '5000'
{{ include "jobber.databaseEnv" (dict "root" . "database" "auth") }}
- name: AUTH_SETUP_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "jobber.secretName" . }}
      key: setup-token
      optional: true
{{- with .Values.auth }}
- name: AUTH_ISSUER
  value: {{ .issuer | quote }}
- name: AUTH_ACCESS_TOKEN_TTL_SECONDS
  value: {{ .accessTokenTtlSeconds | int64 | quote }}
- name: AUTH_REFRESH_TOKEN_TTL_DAYS
  value: {{ .refreshTokenTtlDays | int64 | quote }}
- name: AUTH_COOKIE_SECURE
  value: {{ ternary (or (not (empty $.Values.ingress.tlsSecret)) $.Values.ingress.tls) .cookieSecure (kindIs "string" .cookieSecure) | quote }}
- name: AUTH_REGISTRATIONS_PER_HOUR
  value: {{ .registrationsPerHour | int64 | quote }}
- name: AUTH_TRUSTED_PROXIES
  value: {{ join "," .trustedProxies | quote }}
{{- end }}
{{- end -}}

{{- define "jobber.env.jobs" -}}
- name: JOBS_HOST
  value: 0.0.0.0
- name: JOBS_PORT
  value: '3001'
- name: JOBS_GRPC_PORT
  value: '5002'
{{ include "jobber.databaseEnv" (dict "root" . "database" "jobs") }}
- name: AUTH_GRPC_URL
  value: auth-grpc:5000
{{- with .Values.jobs }}
- name: JOBS_UPLOADS_DIR
  value: /var/lib/jobber/uploads
{{- if .uploads.url }}
- name: JOBS_UPLOADS_URL
  value: {{ .uploads.url | quote }}
{{- with .uploads.credentialsSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: { name: {{ . }}, key: access-key-id }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: { name: {{ . }}, key: secret-access-key }
{{- end }}
{{- end }}
- name: JOBS_UPLOAD_MAX_BYTES
  value: {{ .uploads.maxBytes | int64 | quote }}
- name: JOBS_UPLOAD_QUOTA_BYTES
  value: {{ .uploads.quotaBytes | int64 | quote }}
- name: JOBS_UPLOAD_RETENTION_DAYS
  value: {{ .uploads.retentionDays | int64 | quote }}
- name: JOBS_MAX_RUNNING_PER_USER
  value: {{ .maxRunningPerUser | int64 | quote }}
- name: JOBS_LEASE_SECONDS
  value: {{ .leaseSeconds | int64 | quote }}
{{- end }}
{{- with include "jobber.brokerEnv" . }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "jobber.env.executor" -}}
- name: EXECUTOR_HOST
  value: 0.0.0.0
- name: EXECUTOR_PORT
  value: '3002'
- name: JOBS_GRPC_URL
  value: jobs-grpc:5002
- name: PRODUCTS_GRPC_URL
  value: products-grpc:5001
{{- with .Values.executor }}
- name: EXECUTOR_THREADS
  value: {{ .threads | int64 | quote }}
- name: EXECUTOR_CONCURRENCY
  value: {{ .concurrency | int64 | quote }}
- name: EXECUTOR_PROCESSES
  value: {{ .processes | int64 | quote }}
- name: EXECUTOR_THREAD_MEMORY_MB
  value: {{ .threadMemoryMb | int64 | quote }}
- name: EXECUTOR_MAX_TASKS
  value: {{ .maxTasks | int64 | quote }}
- name: JOBBER_JOB_TYPES
  value: {{ join "," .jobTypes | quote }}
{{- end }}
{{- with include "jobber.brokerEnv" . }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "jobber.env.products" -}}
- name: PRODUCTS_HOST
  value: 0.0.0.0
- name: PRODUCTS_PORT
  value: '3003'
- name: PRODUCTS_GRPC_PORT
  value: '5001'
{{ include "jobber.databaseEnv" (dict "root" . "database" "products") }}
- name: AUTH_GRPC_URL
  value: auth-grpc:5000
{{- end -}}
