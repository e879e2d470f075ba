import { Button, Field, HStack, Input, Stack } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";

type Props = {
  label: string;
  /** What the button does. */
  action: string;
  help?: string;
  isAsking: boolean;
  onAsk: (person: string) => void;
};

/** Takes the number or the id of one person. */
export function PersonForm({ label, action, help, isAsking, onAsk }: Props) {
  const [person, setPerson] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (person.trim() && !isAsking) {
      onAsk(person.trim());
    }
  };
  return (
    <Stack as="form" onSubmit={submit}>
      <Field.Root maxW="30rem">
        <Field.Label>{label}</Field.Label>
        <HStack w="full">
          <Input
            size="sm"
            value={person}
            maxLength={250}
            autoComplete="off"
            onChange={(event) => setPerson(event.target.value)}
          />
          <Button type="submit" size="sm" variant="outline" aria-busy={isAsking}>
            {action}
          </Button>
        </HStack>
        {help && <Field.HelperText>{help}</Field.HelperText>}
      </Field.Root>
    </Stack>
  );
}
