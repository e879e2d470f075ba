import { Alert, Field, Stack, Text, Textarea } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { type DeliveryHeader, useReadAgain } from "../useHeader";
import { type Decision, decide } from "./decide";
import { WhatLeaves } from "./WhatLeaves";

/** Characters of a comment that the API takes. */
const MOST = 500;

type Props = {
  header: DeliveryHeader;
  /** Of the content that the person looked at. */
  fingerprint: string;
  decision: Decision;
  onClose: () => void;
};

/** Say once more what would leave, take a comment, and decide. */
export function DecisionDialog({ header, fingerprint, decision, onClose }: Props) {
  const say = useSay();
  const readAgain = useReadAgain(header.delivery);
  const [comment, setComment] = useState("");
  const act = useMutation({
    mutationFn: () => decide(header.delivery, decision, { fingerprint, comment: comment.trim() }),
    onSettled: readAgain,
    onSuccess: ({ told, already }) => told && !already && onClose(),
  });
  const isReject = decision === "reject";
  const done = act.data;
  return (
    <Confirm
      isOpen
      title={say(`delivery.${decision}_title`, { label: header.label })}
      action={say(done && !done.told ? "delivery.tell_again" : `delivery.${decision}_now`)}
      palette={isReject ? "orange" : "blue"}
      isBusy={act.isPending}
      isDisabled={(isReject && comment.trim() === "") || done?.told === true}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <Stack gap={4}>
        {!isReject && <WhatLeaves header={header} />}
        <Field.Root required={isReject}>
          <Field.Label>{say(isReject ? "delivery.reason" : "delivery.comment")}</Field.Label>
          <Textarea
            value={comment}
            maxLength={MOST}
            onChange={({ target }) => setComment(target.value)}
          />
        </Field.Root>
        <Text color="fg.muted" fontSize="sm">
          {say("delivery.some_seconds")}
        </Text>
        <div aria-live="polite">{done && <Outcome {...done} />}</div>
        {act.isError && <Trouble error={act.error} what={say("delivery.not_decided")} isWrite />}
      </Stack>
    </Confirm>
  );
}

function Outcome({ already, told, header }: Awaited<ReturnType<typeof decide>>) {
  const say = useSay();
  const made = header.decision;
  const name = made?.name || made?.by || "";
  const untold = header.unheard === "ended" ? "delivery.unheard_ended" : "delivery.not_told";
  return (
    <Alert.Root status={told ? "info" : "warning"}>
      <Alert.Indicator />
      <Stack gap={1}>
        {already && <Alert.Title>{say("delivery.already", { name })}</Alert.Title>}
        {!told && <Text>{say(untold)}</Text>}
      </Stack>
    </Alert.Root>
  );
}
