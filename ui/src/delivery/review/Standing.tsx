import { Alert, Stack, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import type { Review } from "./shapes";

const TITLES = { true: "review.errors", false: "review.errors_failed" };

/** Whether nobody has decided on it, so that an error can be mended before anything leaves. */
export function isUndecided({ state }: Review): boolean {
  return state === "ready" || state === "preparation_failed";
}

/** What decides whether this can be sent at all, before any figure: errors, and what is special. */
export function Standing({ review }: { review: Review }) {
  const say = useSay();
  const errors = review.log.filter(({ level }) => level === "error");
  const isPrepared = review.fingerprint !== null;
  const mayMend = isUndecided(review);
  return (
    <Stack gap={2}>
      {errors.length > 0 && (
        <Notice
          status="error"
          title={say(mayMend ? TITLES[`${isPrepared}`] : "review.errors_told", {
            count: errors.length,
          })}
        >
          <Lines lines={errors.map(({ problem }) => problem)} />
          {mayMend && <Text>{say("review.mend")}</Text>}
        </Notice>
      )}
      {review.state === "preparation_failed" && errors.length === 0 && (
        <Notice status="error" title={say("review.failed")}>
          <Text>{say("review.failed_do")}</Text>
        </Notice>
      )}
      {review.state === "draft" && (
        <Notice status="info" title={say("review.draft")}>
          <Text>{say("review.draft_do")}</Text>
        </Notice>
      )}
      {review.dry_run && (
        <Notice status="info" title={say("review.dry_run")}>
          <Text>{say("review.dry_run_means")}</Text>
        </Notice>
      )}
      {isPrepared && review.to_deliver === 0 && (
        <Notice status="warning" title={say("review.nobody")}>
          <Text>{say(review.targeted ? "review.nobody_left" : "review.nobody_targeted")}</Text>
        </Notice>
      )}
      {review.archived && (
        <Notice status="info" title={say("review.archived")}>
          <Text>
            <When at={review.archived.at} />
            {" · "}
            {say(review.archived.uri ? "review.archived_files" : "review.archived_dropped")}
          </Text>
        </Notice>
      )}
      <Warnings review={review} />
    </Stack>
  );
}

function Warnings({ review }: { review: Review }) {
  const say = useSay();
  const warnings = review.log.filter(({ level }) => level === "warning");
  if (warnings.length === 0) {
    return null;
  }
  return (
    <Notice
      status="warning"
      title={say(review.state === "ready" ? "review.warnings" : "review.warnings_told", {
        count: warnings.length,
      })}
    >
      <Lines lines={warnings.map(({ problem }) => problem)} />
    </Notice>
  );
}

function Lines({ lines }: { lines: string[] }) {
  return (
    <Stack as="ul" gap={1} ps={5} listStyleType="disc">
      {[...new Set(lines)].map((line) => (
        <Text as="li" key={line} overflowWrap="anywhere">
          {line}
        </Text>
      ))}
    </Stack>
  );
}

type NoticeProps = { status: "error" | "warning" | "info"; title: string; children: ReactNode };

function Notice({ status, title, children }: NoticeProps) {
  return (
    <Alert.Root status={status} alignItems="start">
      <Alert.Indicator />
      <Stack gap={1} minW={0}>
        <Alert.Title>{title}</Alert.Title>
        {children}
      </Stack>
    </Alert.Root>
  );
}
