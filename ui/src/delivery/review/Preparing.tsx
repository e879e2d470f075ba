import { Alert, Stack, Table, Text } from "@chakra-ui/react";
import { Count } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import { Bar } from "./Bar";
import type { Progress } from "./shapes";

const STEPS = ["numbers", "exclusions", "texts", "publishing"];
/** Milliseconds of silence after which a preparation may have died. */
const SILENCE = 60_000;

/** How far a preparation is, step by step. */
export function Preparing({ progress }: { progress: Progress | null }) {
  const say = useSay();
  const at = STEPS.indexOf(progress?.step ?? "");
  const heard = progress?.told_at ?? progress?.begun_at;
  const isSilent = heard !== undefined && Date.now() - new Date(heard).getTime() > SILENCE;
  return (
    <Stack gap={4}>
      {isSilent && (
        <Alert.Root status="warning" alignItems="start">
          <Alert.Indicator />
          <Stack gap={1}>
            <Alert.Title>{say("review.silent")}</Alert.Title>
            <Text>{say("review.silent_do")}</Text>
          </Stack>
        </Alert.Root>
      )}
      <Section title={say("review.preparing")}>
        <Text color="fg.muted">
          {progress ? (
            <>
              {say("review.begun")} <When at={progress.begun_at} />
            </>
          ) : (
            say("review.beginning")
          )}
        </Text>
        <Table.Root size="sm">
          <Table.Body>
            {STEPS.map((step, index) => (
              <Step key={step} step={step} place={index - at} progress={progress} />
            ))}
          </Table.Body>
        </Table.Root>
        <Text color="fg.muted">{say("review.nothing_leaves")}</Text>
      </Section>
    </Stack>
  );
}

type StepProps = { step: string; place: number; progress: Progress | null };

function Step({ step, place, progress }: StepProps) {
  const say = useSay();
  const rows = step === "numbers" || step === "texts" ? progress?.[step] : null;
  const targeted = progress?.targeted ?? 0;
  const said = place < 0 && progress?.step ? "done" : place === 0 ? "now" : "later";
  return (
    <Table.Row aria-current={said === "now" ? "step" : undefined}>
      <Table.ColumnHeader scope="row" width="45%">
        {say(`review.step_${step}`)}
      </Table.ColumnHeader>
      <Table.Cell>
        <Text>
          {say(`review.step_${said}`)}
          {rows ? (
            <>
              {" · "}
              <Count value={rows} />
            </>
          ) : null}
        </Text>
        {rows && targeted ? <Bar share={rows / targeted} /> : null}
      </Table.Cell>
    </Table.Row>
  );
}
